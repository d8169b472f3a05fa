/** Waits until it is known what became of an upgrade that the daemon has begun. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DroverClient } from '../client/index.ts';
import { type DaemonDocument, DroverError } from '../protocol/index.ts';

const POLL_MS = 50;
/** Beyond the time that a new version has to come up, and the one before to come back. */
const PATIENCE_MS = 2 * 60_000;

/** The daemon as it is then. Throws DROVER_UPGRADE_PUT_BACK, DROVER_TIMEOUT. */
export const awaitUpgrade = async (client: DroverClient, id: string): Promise<DaemonDocument> => {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const status = await findStatus(client);
    if (status?.upgrade?.id === id) {
      const { from, to, outcome, reason } = status.upgrade;
      if (outcome === 'completed') return status;
      throw new DroverError('DROVER_UPGRADE_PUT_BACK', { from, to, reason });
    }
    await wait(POLL_MS);
  }
  throw new DroverError('DROVER_TIMEOUT', { what: 'The upgrade', limit: `${PATIENCE_MS / 60_000} minutes` });
};

/** Null while nobody answers: a program is being replaced. */
const findStatus = async (client: DroverClient): Promise<DaemonDocument | null> => {
  try {
    return await client.daemonStatus();
  } catch (error) {
    if (error instanceof DroverError && (error.code === 'DROVER_DAEMON_UNREACHABLE' || error.code === 'DROVER_TIMEOUT'))
      return null;
    throw error;
  }
};
