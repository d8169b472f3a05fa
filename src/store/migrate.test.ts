import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { migrate, MIGRATIONS } from './migrate.ts';

const versionOf = (database: Database): unknown => database.prepare('PRAGMA user_version').find()?.['user_version'];
const tables = (database: Database): unknown[] =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .list()
    .map((row) => row['name']);

describe('migrations', () => {
  it('bring an empty file and one of each older schema to the same schema', () => {
    const whole = openDatabase(':memory:');
    migrate(whole);
    assert.equal(versionOf(whole), MIGRATIONS.length);
    for (let from = 1; from <= MIGRATIONS.length; from += 1) {
      const older = openDatabase(':memory:');
      migrate(older, MIGRATIONS.slice(0, from));
      assert.equal(versionOf(older), from);
      migrate(older);
      assert.deepEqual([versionOf(older), tables(older)], [versionOf(whole), tables(whole)]);
    }
  });

  it('that fail leave the schema before them, whole', () => {
    const database = openDatabase(':memory:');
    const one = 'CREATE TABLE one (a INTEGER) STRICT';
    assert.throws(() => migrate(database, [one, 'CREATE TABLE two (a INTEGER) STRICT; CREATE TABLE broken']), {
      code: 'DROVER_STATE_UNREADABLE',
    });
    assert.deepEqual([versionOf(database), tables(database)], [1, ['one']]);
    migrate(database, [one, 'CREATE TABLE two (a INTEGER) STRICT']);
    assert.deepEqual([versionOf(database), tables(database)], [2, ['one', 'two']]);
  });
});
