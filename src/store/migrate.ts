/**
 * Brings a state to the schema of this program, from whatever older one, in one transaction: a kill or a failure leaves
 * the file as it was. A state from a newer Drover is refused, not guessed at.
 */
import type { DatabaseSync } from 'node:sqlite';
import { DroverError } from '../protocol/index.ts';
import { versionOf } from './connection.ts';
import { begin } from './migrations/001-begin.ts';
import { binPaths } from './migrations/002-bin-paths.ts';
import { portSlots } from './migrations/003-port-slots.ts';
import { workerRoles } from './migrations/004-worker-roles.ts';
import { digests } from './migrations/005-digests.ts';
import { requestKeys } from './migrations/006-request-keys.ts';
import { stoppedSlots } from './migrations/007-stopped-slots.ts';
import { endedWorkers } from './migrations/008-ended-workers.ts';
import { alerts } from './migrations/009-alerts.ts';

/** In order; the number of a migration is its place, from 1. */
export const MIGRATIONS: readonly string[] = [
  begin,
  binPaths,
  portSlots,
  workerRoles,
  digests,
  requestKeys,
  stoppedSlots,
  endedWorkers,
  alerts,
];

/** Throws DROVER_STATE_NEWER where the state knows more migrations than this program. */
export function refuseNewer(
  connection: DatabaseSync,
  { file, version, migrations = MIGRATIONS }: { file: string; version: string; migrations?: readonly string[] },
): void {
  const schema = versionOf(connection);
  if (schema <= migrations.length) return;
  throw new DroverError('DROVER_STATE_NEWER', {
    file,
    schema,
    known: migrations.length,
    version,
    writer: readWriter(connection),
  });
}

export const isOutdated = (connection: DatabaseSync, migrations: readonly string[] = MIGRATIONS): boolean =>
  versionOf(connection) < migrations.length;

/** Throws what SQLite says; nothing has changed then. */
export function migrate(connection: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  const from = versionOf(connection);
  if (from >= migrations.length) return;
  connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
  try {
    for (const sql of migrations.slice(from)) connection.exec(sql);
    connection.exec(`PRAGMA user_version = ${migrations.length}; COMMIT; PRAGMA synchronous = NORMAL`);
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

/** Which Drover wrote it last. It may have moved that as well, in whatever way we do not know yet. */
function readWriter(connection: DatabaseSync): string | null {
  try {
    const row = connection.prepare(`SELECT value FROM meta WHERE key = '${WRITER_KEY}'`).get();
    return row === undefined ? null : String(row['value']);
  } catch {
    return null;
  }
}

/** Among the small facts: the version of the Drover that had the state last. */
export const WRITER_KEY = 'writer';
