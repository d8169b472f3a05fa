/** Waits until it is known what became of an upgrade that the daemon has begun. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DroverClient } from '../client/index.ts';
import { type DaemonDocument, DroverError, type UpgradeStartDocument } from '../protocol/index.ts';
import { isAlive } from './await-daemon-end.ts';

const POLL_MS = 50;
/** Beyond the time that a new version has to come up, and the one before to come back. */
const PATIENCE_MS = 2 * 60_000;

/**
 * For a process that ended although it was to stay. Where systemd runs it, the one before is only started when the
 * commands that systemd runs for the unit have ended, and this may be one of them (`systemctl reload`).
 */
const ENDED_PATIENCE_MS = 20_000;
const UNIT_PATIENCE_MS = 3_000;
/** A daemon that another one has become tells of the upgrade at once. */
const SETTLE_MS = 5_000;

/**
 * The daemon as it is then; `before`: as it was. Throws DROVER_UPGRADE_PUT_BACK; DROVER_ABORTED where somebody ended the
 * daemon meanwhile, DROVER_DAEMON_UNREACHABLE where it stays away, and DROVER_TIMEOUT.
 */
export const awaitUpgrade = async (
  client: DroverClient,
  before: DaemonDocument,
  { id, from, to }: NonNullable<UpgradeStartDocument['upgrade']>,
): Promise<DaemonDocument> => {
  const deadline = performance.now() + PATIENCE_MS;
  /** Since when the process is gone: nobody answers, or another one that knows nothing of the upgrade. */
  let goneAt: number | null = null;
  while (performance.now() < deadline) {
    const status = await findStatus(client);
    if (status?.upgrade?.id === id) {
      const { outcome, reason } = status.upgrade;
      if (outcome === 'completed') return status;
      throw new DroverError('DROVER_UPGRADE_PUT_BACK', { from, to, reason });
    }
    if (isAlive(before.pid)) goneAt = null;
    else goneAt ??= performance.now();
    const goneForMs = goneAt === null ? 0 : performance.now() - goneAt;
    if (status !== null && goneForMs > SETTLE_MS)
      throw new DroverError('DROVER_ABORTED', { kind: 'The upgrade', app: 'the daemon' });
    if (status === null && before.unit !== null && goneForMs > UNIT_PATIENCE_MS) {
      const reason = 'it ended, and systemd starts the version before';
      throw new DroverError('DROVER_UPGRADE_PUT_BACK', { from, to, reason });
    }
    if (status === null && goneForMs > ENDED_PATIENCE_MS)
      throw new DroverError('DROVER_DAEMON_UNREACHABLE', { socketPath: client.socketPath });
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
