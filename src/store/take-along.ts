/**
 * What a newer program wrote before it gave up, into the state of the program before it: events, and the ends of
 * operations with what they made of their apps. Only columns that both know, and nothing at all where that does not fit:
 * it is history, and what runs is found without it (`supervisor/strays.ts`).
 */
import type { DatabaseSync } from 'node:sqlite';

/** `from` is a file that nobody has open, its journal beside it. */
export function takeAlong(from: string, connection: DatabaseSync): void {
  connection.prepare('ATTACH :file AS newer').run({ file: from });
  try {
    connection.exec('BEGIN IMMEDIATE');
    copyRows(connection, 'events', 'seq > (SELECT ifnull(max(seq), 0) FROM main.events)');
    const ended = "SELECT id FROM newer.operations WHERE status = 'done'";
    const unended = "SELECT id FROM main.operations WHERE status = 'running'";
    const both = `id IN (${ended}) AND id IN (${unended})`;
    copyRows(connection, 'apps', `name IN (SELECT app FROM newer.operations WHERE ${both})`);
    copyRows(connection, 'operations', both);
    connection.exec('COMMIT');
  } catch {
    // Its tables are others: the backup alone has to do.
    if (connection.isTransaction) connection.exec('ROLLBACK');
  } finally {
    connection.exec('DETACH newer');
  }
}

function copyRows(connection: DatabaseSync, table: string, where: string): void {
  const columns = columnsOf(connection, 'newer', table).filter((name) =>
    columnsOf(connection, 'main', table).includes(name),
  );
  const list = columns.map((name) => `"${name}"`).join(', ');
  connection.exec(`INSERT OR REPLACE INTO main.${table} (${list}) SELECT ${list} FROM newer.${table} WHERE ${where}`);
}

const columnsOf = (connection: DatabaseSync, schema: string, table: string): readonly string[] =>
  connection
    .prepare('SELECT name FROM pragma_table_info(:table, :schema)')
    .all({ table, schema })
    .map(({ name }) => String(name));
