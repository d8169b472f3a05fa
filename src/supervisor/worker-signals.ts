/** Signals to a worker's process and to its whole tree. A pid is only signalled while it is known to be ours. */
import { descendants, leftovers, startTicks } from '../os/index.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Signals the worker itself. Returns false when there is nobody to signal. */
export const signalWorker = (handle: WorkerHandle, signal: NodeJS.Signals): boolean =>
  handle.pid !== null && isOurs(handle) && send(handle.pid, signal);

/** Signals a program without an agent and all it started: a shell in front of it would not pass the signal on. */
export const signalTree = (handle: WorkerHandle, signal: NodeJS.Signals): void => {
  if (!isOurs(handle) || handle.pid === null) return;
  for (const pid of descendants(handle.pid, handle.spawnId)) send(pid, signal);
};

/** Gives up on a system that shows no processes (it, or the daemon, is out of descriptors): an end must be heard of. */
export const sweepTree = (handle: WorkerHandle, politely: boolean): Promise<void> | null => {
  const left = leftovers(handle.firstPid, handle.spawnId);
  if (left?.length === 0) return null;
  for (const pid of left ?? []) send(pid, politely ? 'SIGTERM' : 'SIGKILL');
  const begun = performance.now();
  const deadline = begun + (politely ? POLITE_MS : 0);
  return new Promise((resolve) => {
    const look = (): void => {
      const still = leftovers(handle.firstPid, handle.spawnId);
      const hasGivenUp = still === null && performance.now() >= begun + BLIND_MS;
      if (still?.length === 0 || hasGivenUp) return resolve();
      if (performance.now() >= deadline) for (const pid of still ?? []) send(pid, 'SIGKILL');
      setTimeout(look, SWEEP_EVERY_MS);
    };
    setTimeout(look, SWEEP_EVERY_MS);
  });
};

const POLITE_MS = 2000;
/** A look that fails is tried again for so long. */
const BLIND_MS = 2000;
const SWEEP_EVERY_MS = 20;

/** The pid may already belong to somebody else: its start time tells. Our own child cannot be replaced unseen. */
const isOurs = (handle: WorkerHandle): boolean =>
  handle.isChild || (handle.pid !== null && startTicks(handle.pid) === handle.startTicks);

const send = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It went away meanwhile, which is what was wanted.
    return false;
  }
};
