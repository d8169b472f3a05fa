/** What may keep a daemon from its start: another one has the home, or what is in it cannot be read. */
import { existsSync } from 'node:fs';
import { createClient, isAnswering, isReadOnly } from '../client/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { Guard } from './guard.ts';
import { findOther } from './pid-file.ts';

export interface Beginning {
  readonly home: string;
  readonly stateFile: string;
  readonly pidFile: string;
  /** Of the one that begins. A guard does not try again; a service manager does, later each time. */
  readonly guard: Guard | null;
  /** Somebody wants it to end. */
  readonly isEndAsked: () => boolean;
}

/**
 * Asks for another one where the lock of the state keeps no two of them apart: it cannot be taken, or its file was removed
 * under the first one. Throws DROVER_DAEMON_RUNNING.
 */
export const refuseSecond = async ({ home, stateFile, guard }: Beginning): Promise<void> => {
  if (!isReadOnly(home) && existsSync(stateFile)) return;
  const client = createClient();
  if (!(await isAnswering(client))) return;
  await guard?.dismiss('home-taken');
  throw new DroverError('DROVER_DAEMON_RUNNING', { home, pid: (await client.daemonStatus()).pid });
};

/** One that cannot begin because another one has the home, or is to end anyway, is not tried again. `stopWorkers`: once it has them. */
export const beginOrEnd = async <T>(
  { guard, isEndAsked }: Beginning,
  begin: () => Promise<T>,
  stopWorkers: () => Promise<void> = async () => {},
): Promise<T> => {
  try {
    return await begin();
  } catch (error) {
    const isTaken = error instanceof DroverError && error.code === 'DROVER_DAEMON_RUNNING';
    if (isTaken) await guard?.dismiss('home-taken');
    else if (isEndAsked()) {
      await guard?.dismiss('stopped');
      await stopWorkers();
    }
    throw error;
  }
};

/** A state that cannot be opened because another daemon has it: throws DROVER_DAEMON_RUNNING instead. */
export const openOrExplain = async <T>(beginning: Beginning, open: () => Promise<T>): Promise<T> => {
  const { home, pidFile, guard } = beginning;
  try {
    return await beginOrEnd(beginning, open);
  } catch (error) {
    const pid = findOther(pidFile);
    if (!(error instanceof DroverError) || error.code !== 'DROVER_STATE_UNREADABLE' || pid === null) throw error;
    await guard?.dismiss('home-taken');
    throw new DroverError('DROVER_DAEMON_RUNNING', { home, pid }, { cause: error });
  }
};
