/** Tells a worker that cannot get on with its queue from one that was not given a core to do so. */
import type { ShardHolder } from '../protocol/index.ts';
import type { NetKernel } from './kernel.ts';

interface Look {
  readonly at: number;
  readonly ranMs: number;
}

/** What was seen longer ago says nothing about this wait. */
const LOOK_LASTS_MS = 50;
/** A blocked event loop takes all that it can get: even with four runnable threads to a core that is more than this. */
const STARVED_BELOW = 0.2;

export class Starvation {
  readonly #looks = new WeakMap<ShardHolder, Look>();
  readonly #kernel: Pick<NetKernel, 'readRunning'>;

  constructor(kernel: Pick<NetKernel, 'readRunning'>) {
    this.#kernel = kernel;
  }

  /** Whether it has been waiting for a core since the last look; false at the first one, and where nobody knows. */
  isStarved(holder: ShardHolder, at: number): boolean {
    const running = holder.pid === null ? null : this.#kernel.readRunning(holder.pid);
    if (running === null) return false;
    const before = this.#looks.get(holder);
    this.#looks.set(holder, { at, ranMs: running.ranMs });
    if (!running.isRunnable || before === undefined || at - before.at > LOOK_LASTS_MS) return false;
    return running.ranMs - before.ranMs < (at - before.at) * STARVED_BELOW;
  }
}
