/** Whether a worker was given the processor time that it wanted: one that was not has done nothing wrong. */
import { readRunning } from '../os/index.ts';

/** A blocked event loop takes all that it can get: with ten runnable threads to a core that is a tenth. */
const STARVED_BELOW = 0.1;

export class CoreTime {
  readonly #withinMs: number;
  readonly #looks = new Map<number, { readonly at: number; readonly ranMs: number }>();

  /** `withinMs`: a look longer ago than this tells of another time, in which the process may have had nothing to do. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** Between the last look at this process and this one; false at the first, and where nobody knows. */
  isStarved(pid: number, at: number): boolean {
    const running = readRunning(pid);
    if (running === null) return false;
    const before = this.#looks.get(pid);
    this.#looks.set(pid, { at, ranMs: running.ranMs });
    if (!running.isRunnable || before === undefined || at - before.at > this.#withinMs) return false;
    return running.ranMs - before.ranMs < (at - before.at) * STARVED_BELOW;
  }

  /** What is not among these is forgotten. */
  keep(pids: ReadonlySet<number>): void {
    for (const pid of this.#looks.keys()) if (!pids.has(pid)) this.#looks.delete(pid);
  }
}
