/** Whether a worker was given the processor time that it wanted: one that was not has done nothing wrong. */
import { readRunning } from '../../os/index.ts';

/** A blocked event loop takes all that it can get; with four runnable threads to a core that is a quarter. */
const STARVED_BELOW = 0.2;

export class CoreTime {
  readonly #looks = new Map<number, { readonly at: number; readonly ranMs: number }>();

  /** Between the last look at this process and this one; false at the first, and where nobody knows. */
  isStarved(pid: number, at: number): boolean {
    const running = readRunning(pid);
    if (running === null) return false;
    const before = this.#looks.get(pid);
    this.#looks.set(pid, { at, ranMs: running.ranMs });
    if (!running.isRunnable || before === undefined) return false;
    return running.ranMs - before.ranMs < (at - before.at) * STARVED_BELOW;
  }

  /** What is not among these is forgotten. */
  keep(pids: ReadonlySet<number>): void {
    for (const pid of this.#looks.keys()) if (!pids.has(pid)) this.#looks.delete(pid);
  }
}
