/**
 * Connections to SQLite: to the state file, which is ours alone while it is open; to a copy of it in memory, for a disk
 * that takes no write; and to a backup, which is only looked at. Knows pragmas and no table.
 */
import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** The predecessor of a restarted daemon may need a moment to die. Only opening ever waits: nobody shares the file. */
const LOCK_WAIT_MS = 2_000;

/** Without `cache_spill = OFF` a transaction that is held open while the disk is full would be written to it. */
const COMMON = `
  PRAGMA cache_size = -256;
  PRAGMA cache_spill = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA foreign_keys = OFF;
`;

export const MEMORY = ':memory:';

type Close = (connection: DatabaseSync) => void;

/** Throws what SQLite or the file system says; `close` ends the connection then, where there is one already. */
export function connectFile(file: string, close: Close = (connection) => connection.close()): DatabaseSync {
  // -wal takes over the mode. Before any lock exists, because closing a second descriptor of the file would drop
  // SQLite's locks.
  makePrivate(file);
  return prepared(
    new DatabaseSync(file, { timeout: LOCK_WAIT_MS }),
    // Exclusive: a second daemon is refused, and the index of the WAL needs no shared memory file.
    `PRAGMA locking_mode = EXCLUSIVE;
     PRAGMA journal_mode = WAL;
     PRAGMA synchronous = NORMAL;
     PRAGMA mmap_size = 0;
     PRAGMA wal_autocheckpoint = 256;
     PRAGMA journal_size_limit = 1048576;
     ${COMMON}`,
    close,
  );
}

export const connectMemory = (): DatabaseSync => prepared(new DatabaseSync(MEMORY), COMMON);

/** The file's contents in memory. Writes nothing, takes no lock, and works on a file system that is mounted read-only. */
export function copyToMemory(file: string): DatabaseSync {
  // The attached file takes over the locking mode, and only an exclusive one reads a WAL without a file beside it.
  const memory = prepared(new DatabaseSync(MEMORY), `PRAGMA locking_mode = EXCLUSIVE; ${COMMON}`);
  try {
    const how = isEmptyFile(walOf(file)) ? 'immutable=1' : 'vfs=unix-none&mode=ro';
    memory.prepare('ATTACH :uri AS disk').run({ uri: `${pathToFileURL(file).href}?${how}` });
    const schema = memory
      .prepare(
        "SELECT type, name, sql FROM disk.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table' DESC",
      )
      .all();
    memory.exec('BEGIN');
    for (const { type, name, sql } of schema) {
      memory.exec(String(sql));
      if (type === 'table') memory.exec(`INSERT INTO main."${String(name)}" SELECT * FROM disk."${String(name)}"`);
    }
    if (schema.some(({ sql }) => String(sql).includes('AUTOINCREMENT'))) {
      memory.exec(
        'DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence SELECT * FROM disk.sqlite_sequence',
      );
    }
    memory.exec(`PRAGMA main.user_version = ${versionOf(memory, 'disk')}; COMMIT; DETACH disk`);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** To look at a file that nobody writes to; nothing is created beside it. */
export function connectUnchanged(file: string): DatabaseSync {
  return prepared(new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true }), COMMON);
}

/** The number of the last migration that was applied. */
export const versionOf = (connection: DatabaseSync, schema: 'main' | 'disk' = 'main'): number =>
  Number(connection.prepare(`PRAGMA ${schema}.user_version`).get()?.['user_version'] ?? 0);

export const walOf = (file: string): string => `${file}-wal`;

/** There afterwards, whatever it has in it. SQLite would create it readable for others. */
export const makePrivate = (file: string): void => closeSync(openSync(file, 'a', 0o600));

/** Nothing is there, or nothing is in it. */
export const isEmptyFile = (file: string): boolean => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;

function prepared(connection: DatabaseSync, sql: string, close: Close = (each) => each.close()): DatabaseSync {
  try {
    connection.exec(sql);
    return connection;
  } catch (error) {
    close(connection);
    throw error;
  }
}
