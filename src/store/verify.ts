/**
 * Looks at a whole state, file or backup, before anybody relies on it: the structure by SQLite's `integrity_check`, and
 * the rows from which workers are started by their digests and their JSON.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { versionOf } from './connection.ts';
import { digestOf } from './digest.ts';
import { inOneLine } from './disk-trouble.ts';

/** How far a state has come, and what is in it. */
export interface Extent {
  /** Number of its last migration; 0 is an empty file. */
  readonly schema: number;
  /** The last event's number; it only grows, so the greater one is the newer state. */
  readonly seq: number;
  readonly apps: number;
}

/** Since which schema rows have a digest. */
const DIGESTS_SINCE = 5;

/** What is wrong with it, in words; null when nothing was found. Throws what SQLite says of a file that is none. */
export function findDamage(connection: DatabaseSync): string | null {
  const structure = String(connection.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']);
  // SQLite's words have a heading with the name of the database, which is always the same, and then lines.
  if (structure !== 'ok') return inOneLine(structure.replace(/^\*+ in database \w+ \*+\n/, ''));
  const schema = versionOf(connection);
  if (schema === 0) return null;
  for (const [table, digest] of Object.entries(DIGESTED)) {
    const label = table === 'releases' ? 'a release' : table === 'apps' ? 'an app' : 'a port';
    for (const row of connection.prepare(`SELECT * FROM ${table}`).iterate()) {
      const known = schema < DIGESTS_SINCE ? null : row['digest'];
      const isWhole = known === null ? isJson(row) : known === digest(row);
      if (!isWhole) return `${label} is damaged (${String(row['name'] ?? row['app'])})`;
    }
  }
  return null;
}

export function extentOf(connection: DatabaseSync): Extent {
  const schema = versionOf(connection);
  if (schema === 0) return { schema, seq: 0, apps: 0 };
  const numberOf = (sql: string): number => Number(Object.values(connection.prepare(sql).get() ?? {})[0] ?? 0);
  return {
    schema,
    seq: numberOf("SELECT seq FROM sqlite_sequence WHERE name = 'events'"),
    apps: numberOf('SELECT count(*) FROM apps'),
  };
}

type Row = Readonly<Record<string, SQLOutputValue>>;

const value = (each: SQLOutputValue | undefined): string | number | null =>
  typeof each === 'string' || typeof each === 'number' ? each : null;
const digestOfColumns =
  (...columns: readonly string[]) =>
  (row: Row): string =>
    digestOf(columns.map((column) => value(row[column])));

/** Per table, the columns that its digest covers. Those of a released schema are never changed. */
export const DIGESTED = {
  apps: digestOfColumns('name', 'config_json', 'wanted', 'release', 'instances', 'ready_signal_seen'),
  releases: digestOfColumns('app', 'number', 'config_json'),
  ports: digestOfColumns('app', 'key', 'address_json', 'random_index', 'slots_json', 'protocol'),
} as const;

/** Before there were digests: what is not even JSON is damaged for certain. */
function isJson(row: Row): boolean {
  try {
    for (const [column, text] of Object.entries(row)) if (column.endsWith('_json')) JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
