/**
 * Whether a worker waited for a core through much of the time between two looks, seconds apart: what it did then says
 * nothing about it. Where milliseconds count, `core-time.ts` asks what it is at that moment; over seconds that tells nothing
 * of a worker that has little to do, and has just begun to do it.
 */
import { readRunning, type Running } from '../os/index.ts';

/** Of the time between the looks, and of what it ran: on a busy machine all wait about as long as they run. */
const WAITED_SHARE = 0.3;
const WAITED_TIMES_RAN = 2;

interface Look extends Running {
  readonly at: number;
}

export class CoreWaits {
  readonly #read: (pid: number) => Running | null;
  readonly #looks = new Map<number, Look>();

  constructor(read: (pid: number) => Running | null = readRunning) {
    this.#read = read;
  }

  /** Between the last look at this process and this one; false at the first, and where nobody knows. */
  isStarved(pid: number, at: number): boolean {
    const now = this.#read(pid);
    if (now === null) return false;
    const before = this.#looks.get(pid);
    this.#looks.set(pid, { ...now, at });
    if (before === undefined) return false;
    // A wait is counted when it is over: who was given no core at all is still in it.
    if (now.isRunnable && before.isRunnable && now.turns === before.turns && now.ranMs === before.ranMs) return true;
    const waitedMs = now.waitedMs - before.waitedMs;
    return waitedMs >= (at - before.at) * WAITED_SHARE && waitedMs >= (now.ranMs - before.ranMs) * WAITED_TIMES_RAN;
  }

  /** What is not among these is forgotten. */
  keep(pids: ReadonlySet<number>): void {
    for (const pid of this.#looks.keys()) if (!pids.has(pid)) this.#looks.delete(pid);
  }
}
