/**
 * A backup that takes the place of the state says so itself, until the daemon has ended what that backup takes for
 * unfinished. A daemon may die before it has: the next one finds a sound file, and would go on with operations that
 * ended long ago.
 */
import { DatabaseSync } from 'node:sqlite';

/** In `meta`, for as long as operations of a backup count as unfinished. */
export const FELL_BACK_KEY = 'fell-back';

export const MARK_SQL = 'INSERT OR REPLACE INTO meta (key, value) VALUES (:key, :value)';

/** Writes the mark into a file that is no daemon's state yet. One of a schema without `meta` goes without. */
export const markFallBack = (file: string, backupAtMs: number): void => {
  const connection = new DatabaseSync(file);
  try {
    const hasMeta = connection.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'`).get();
    if (hasMeta !== undefined) connection.prepare(MARK_SQL).run({ key: FELL_BACK_KEY, value: String(backupAtMs) });
  } finally {
    connection.close();
  }
};
