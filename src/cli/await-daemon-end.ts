/** Waits until a daemon that was asked to end is gone. */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type DroverClient, isAnswering } from '../client/index.ts';
import { DroverError } from '../protocol/index.ts';

const POLL_MS = 50;
/** Longer than any drain that people configure; workers are killed 5 s after theirs. */
const PATIENCE_MS = 10 * 60_000;

/** Until nobody answers and the process is gone: a new daemon may be started then. Throws DROVER_TIMEOUT. */
export const awaitDaemonEnd = async (client: DroverClient, pid: number | null): Promise<void> => {
  const deadline = performance.now() + PATIENCE_MS;
  while (isAlive(pid) || (await isAnswering(client))) {
    if (performance.now() > deadline)
      throw new DroverError('DROVER_TIMEOUT', {
        what: 'Stopping the daemon',
        limit: `${PATIENCE_MS / 60_000} minutes`,
      });
    await wait(POLL_MS);
  }
};

/** Not yet ended. Null is nobody. */
export const isAlive = (pid: number | null): boolean => {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Ended, and not yet reaped: the first process of some containers takes seconds for that. */
const isZombie = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No /proc here, or gone by now; the next look tells.
    return false;
  }
};
