/**
 * Brings a file to the schema of this program, one migration at a time, each in a transaction of its own with
 * `user_version`: a kill in between leaves a whole older schema. A file from a newer Drover is refused, not guessed at.
 */
import { DroverError } from '../protocol/index.ts';
import type { Database } from './database.ts';
import { numberOf } from './json.ts';
import { begin } from './migrations/001-begin.ts';
import { binPaths } from './migrations/002-bin-paths.ts';
import { portSlots } from './migrations/003-port-slots.ts';
import { workerRoles } from './migrations/004-worker-roles.ts';

/** In order; the number of a migration is its place, from 1. */
export const MIGRATIONS: readonly string[] = [begin, binPaths, portSlots, workerRoles];

export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  const from = numberOf(database.prepare('PRAGMA user_version').find()?.['user_version']);
  if (from > migrations.length) {
    throw new DroverError('DROVER_STATE_UNREADABLE', {
      file: database.file,
      message: `it was written by a newer Drover (schema ${from}, this one knows ${migrations.length})`,
    });
  }
  migrations.slice(from).forEach((sql, index) => {
    database.transaction(() => {
      database.execute(sql);
      database.execute(`PRAGMA user_version = ${from + index + 1}`);
    });
  });
}
