/**
 * Which ends of workers the kernel's out-of-memory killer explains. It only counts, and counts for the whole control
 * group: a rise is taken for the cause of an end by SIGKILL while it is fresh, and each kill explains one end. One for
 * each daemon.
 */
import type { Clock } from '../protocol/index.ts';
import type { Processes } from './processes.ts';

interface Look {
  readonly at: number;
  /** Null where the kernel does not tell. */
  readonly kills: number | null;
}

/** The end of a process is handled this long after its kill at most: a younger look may have counted the kill already. */
const SETTLED_MS = 1_000;

export class OomKills {
  readonly #processes: Pick<Processes, 'oomKills'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #last: Look;
  /** The look before: what counts while the last one is younger than {@link SETTLED_MS}. */
  #before: Look;
  /** Kills up to this count have explained an end. */
  #explained = 0;

  constructor(processes: Pick<Processes, 'oomKills'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#processes = processes;
    this.#clock = clock;
    // What was killed before there was this daemon explains no end that it sees.
    this.#last = this.#before = { at: clock.monotonicMs(), kills: processes.oomKills() };
  }

  /** To be called every few seconds: kills of anything else in the group must not explain ends that come much later. */
  look(): void {
    if (!this.#isSettled) return;
    this.#before = this.#last;
    this.#last = { at: this.#clock.monotonicMs(), kills: this.#processes.oomKills() };
  }

  /** Whether a process that has just ended by SIGKILL, or nobody knows how, was killed for want of memory. */
  explainEnd(): boolean {
    const base = (this.#isSettled ? this.#last : this.#before).kills;
    const kills = this.#processes.oomKills();
    if (base === null || kills === null) return false;
    const known = Math.max(base, this.#explained);
    if (kills <= known) return false;
    this.#explained = known + 1;
    return true;
  }

  get #isSettled(): boolean {
    return this.#clock.monotonicMs() - this.#last.at >= SETTLED_MS;
  }
}
