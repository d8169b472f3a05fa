/** How many workers a configured number or share (`WorkerShare`) means. Rounded down: a limit is never more than was said. */
import type { WorkerShare } from '../protocol/index.ts';

/** Of `total` workers, not rounded up to one: whoever needs at least one says so. */
export const workersIn = (share: WorkerShare, total: number): number =>
  'workers' in share ? Math.min(share.workers, total) : Math.floor(share.share * total + 1e-9);
