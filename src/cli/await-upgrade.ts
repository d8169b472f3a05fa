/** Waits until it is known what became of an upgrade that the daemon has begun. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DroverClient } from '../client/index.ts';
import { type DaemonDocument, DroverError, type UpgradeStartDocument } from '../protocol/index.ts';
import { isAlive } from './await-daemon-end.ts';

const POLL_MS = 50;
/** Beyond the time that a new version has to come up, and the one before to come back. */
const PATIENCE_MS = 2 * 60_000;

/**
 * For a process that ended although it was to stay: systemd starts the one before only when the commands that it runs for
 * the unit have ended, and this may be one of them (`systemctl reload`).
 */
const ENDED_PATIENCE_MS = 3_000;

/** The daemon as it is then; `before`: as it was. Throws DROVER_UPGRADE_PUT_BACK, DROVER_TIMEOUT. */
export const awaitUpgrade = async (
  client: DroverClient,
  before: DaemonDocument,
  { id, from, to }: NonNullable<UpgradeStartDocument['upgrade']>,
): Promise<DaemonDocument> => {
  const deadline = performance.now() + PATIENCE_MS;
  let endedAt: number | null = null;
  while (performance.now() < deadline) {
    const status = await findStatus(client);
    if (status?.upgrade?.id === id) {
      const { outcome, reason } = status.upgrade;
      if (outcome === 'completed') return status;
      throw new DroverError('DROVER_UPGRADE_PUT_BACK', { from, to, reason });
    }
    if (status === null && before.unit !== null && !isAlive(before.pid)) {
      endedAt ??= performance.now();
      const reason = 'it ended, and systemd starts the version before';
      if (performance.now() - endedAt > ENDED_PATIENCE_MS) {
        throw new DroverError('DROVER_UPGRADE_PUT_BACK', { from, to, reason });
      }
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
