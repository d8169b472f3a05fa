/** Signals to a worker's process and to its whole tree. A pid is only signalled while it is known to be ours. */
import { descendants, startTicks } from '../os/index.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Signals the worker itself. Returns false when there is nobody to signal. */
export const signalWorker = (handle: WorkerHandle, signal: NodeJS.Signals): boolean =>
  handle.pid !== null && isStillTheOne(handle) && send(handle.pid, signal);

/** Kills the worker and everything that it started. */
export const killTree = (handle: WorkerHandle): void => {
  const { pid } = handle;
  if (pid !== null && isStillTheOne(handle)) send(pid, 'SIGKILL');
  sweepTree(handle);
};

/** Kills what a worker left behind: members of its session, its children, whoever carries its spawn's mark. */
export const sweepTree = (handle: WorkerHandle): number => {
  let killed = 0;
  // A process may fork while we look: looked at until nobody is left, a few times at most.
  for (let round = 0; round < 5; round += 1) {
    const left = descendants(handle.firstPid, handle.spawnId);
    const others = left.filter((pid) => pid !== handle.pid);
    if (others.length === 0) break;
    for (const pid of others) if (send(pid, 'SIGKILL')) killed += 1;
  }
  return killed;
};

/** The pid may already belong to somebody else: its start time tells. Our own child cannot be replaced unseen. */
const isStillTheOne = (handle: WorkerHandle): boolean =>
  handle.child !== null || (handle.pid !== null && startTicks(handle.pid) === handle.startTicks);

const send = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It went away meanwhile, which is what was wanted.
    return false;
  }
};
