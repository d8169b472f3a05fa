/**
 * A worker's requests by route, asked for while somebody of its app seems slow: to tell that from clients that ask for
 * something else. Not asked all the time, because the counters of a hundred routes are most of what an agent has to say.
 */
import type { OutlierSample } from '../core/index.ts';
import type { RouteCounters } from '../protocol/index.ts';
import type { Schedule, WorkerHandle } from '../supervisor/index.ts';

/** One that has not answered by then is asked again a moment later anyway. */
const WITHIN_MS = 900;
/** Silences in a row after which it is taken to be an agent that does not know the question. */
const MOST_SILENCES = 3;

export class RoutesWatch {
  readonly #handle: WorkerHandle;
  #before: readonly RouteCounters[] | null = null;
  #now: readonly RouteCounters[] | null = null;
  #isAsking = false;
  #isWanted = false;
  #silences = 0;
  #isCounting = true;

  constructor(handle: WorkerHandle) {
    this.#handle = handle;
  }

  /** It answers when it is asked, as far as is known. */
  get tells(): boolean {
    return this.#handle.agentProtocol >= 2 && this.#isCounting && this.#silences < MOST_SILENCES;
  }

  async ask(schedule: Schedule): Promise<void> {
    this.#isWanted = true;
    if (this.#isAsking || !this.tells) return;
    this.#isAsking = true;
    const answer = await this.#handle.ask(schedule, WITHIN_MS, (id) => ({ type: 'ask-routes', id }), 'routes');
    this.#isAsking = false;
    this.#silences = answer === null ? this.#silences + 1 : 0;
    if (answer === null) return;
    this.#isCounting = answer.routes !== null;
    if (!this.#isWanted) return;
    if (this.#before === null) this.#before = answer.routes;
    else this.#now = answer.routes;
  }

  /** What came between two answers; each is taken once. */
  take(): OutlierSample['routes'] {
    const before = this.#before;
    const now = this.#now;
    if (before === null || now === null) return null;
    this.#before = now;
    this.#now = null;
    return { before, now };
  }

  /** Nobody seems slow any more: what was told last would be of long ago. */
  forget(): void {
    this.#isWanted = false;
    this.#before = null;
    this.#now = null;
  }
}
