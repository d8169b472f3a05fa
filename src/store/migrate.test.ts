import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DatabaseSync } from 'node:sqlite';
import { connectMemory, versionOf } from './connection.ts';
import { migrate, MIGRATIONS } from './migrate.ts';

const tables = (connection: DatabaseSync): unknown[] =>
  connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map((row) => row['name']);

describe('migrations', () => {
  it('bring an empty state and one of each older schema to the same schema', () => {
    const whole = connectMemory();
    migrate(whole);
    assert.equal(versionOf(whole), MIGRATIONS.length);
    for (let from = 1; from <= MIGRATIONS.length; from += 1) {
      const older = connectMemory();
      migrate(older, MIGRATIONS.slice(0, from));
      assert.equal(versionOf(older), from);
      migrate(older);
      assert.deepEqual([versionOf(older), tables(older)], [versionOf(whole), tables(whole)]);
    }
  });

  it('that fail leave the state as it was, whichever of them fails', () => {
    const connection = connectMemory();
    const one = 'CREATE TABLE one (a INTEGER) STRICT';
    const two = 'CREATE TABLE two (a INTEGER) STRICT';
    assert.throws(() => migrate(connection, [one, `${two}; CREATE TABLE broken`]));
    assert.deepEqual([versionOf(connection), tables(connection)], [0, []]);
    migrate(connection, [one]);
    assert.throws(() => migrate(connection, [one, two, 'CREATE TABLE broken']));
    assert.deepEqual([versionOf(connection), tables(connection)], [1, ['one']]);
    migrate(connection, [one, two]);
    assert.deepEqual([versionOf(connection), tables(connection)], [2, ['one', 'two']]);
  });
});
