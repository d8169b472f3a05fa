import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { absentDaemon, type DroverClient, isAnswering, ownHome } from '../../client/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

const POLL_MS = 50;
/** Longer than any drain that people configure; workers are killed 5 s after theirs. */
const PATIENCE_MS = 10 * 60_000;

const isAlive = (pid: number | null): boolean => {
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

/** Until nobody answers and the process is gone: a new daemon may be started then. */
const awaitEnd = async (client: DroverClient, pid: number | null): Promise<void> => {
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

export const command = defineCommand<{ keepWorkers?: boolean; json?: boolean }>({
  args: [],
  options: [{ flags: '--keep-workers', about: 'leave apps running; the next daemon adopts them' }, JSON_OPTION],
  run: async (context, { options }) => {
    const client = await context.connect();
    const wasRunning = await isAnswering(client);
    if (wasRunning) {
      const { pid } = await client.daemonStatus();
      await client.shutdown(options.keepWorkers ?? false);
      await awaitEnd(client, pid);
    }
    if (options.json) context.print(JSON.stringify(absentDaemon(ownHome().home)));
    else context.print(wasRunning ? 'Stopped.' : 'It was not running.');
    return 0;
  },
});
