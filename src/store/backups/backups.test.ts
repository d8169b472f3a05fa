import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byExtent, nameBackup, parseBackupName, type BackupName } from './backup-name.ts';
import { chooseKept } from './choose-kept.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 26, 3, 0, 0, 5);

const backup = (agoMs: number, seq: number, apps = 3, schema = 4): BackupName => {
  const name = parseBackupName(nameBackup(NOW - agoMs, { schema, seq, apps }));
  assert.ok(name !== null);
  return name;
};

describe('names of backups', () => {
  it('say all that they were given', () => {
    assert.equal(nameBackup(NOW, { schema: 4, seq: 12, apps: 0 }), 'state-20261126T030000.005Z-s4-e12-a0.db');
    assert.deepEqual(backup(0, 12, 0), {
      name: 'state-20261126T030000.005Z-s4-e12-a0.db',
      atMs: NOW,
      schema: 4,
      seq: 12,
      apps: 0,
    });
  });

  it('are nobody else’s', () => {
    for (const name of [
      'state.unfinished',
      'state-20261126T030000.005Z-s4-e12-a0.db-wal',
      'state-20269926T030000.005Z-s4-e1-a0.db',
    ])
      assert.equal(parseBackupName(name), null);
  });

  it('are ordered by how far the state had come, whatever the clock said', () => {
    const [a, b, c] = [backup(0, 5), backup(HOUR, 9), backup(2 * HOUR, 9)];
    assert.deepEqual([c, a, b].toSorted(byExtent), [b, c, a]);
  });
});

describe('of the backups', () => {
  const MINUTE = 60_000;

  it('the newest few stay, and one of each age, however long it goes on', () => {
    let all: BackupName[] = [];
    const minutes = 9 * 24 * 60;
    for (let minute = 0; minute < minutes; minute += 1) {
      const now = NOW + minute * MINUTE;
      all.push({ ...backup(-minute * MINUTE, minute), name: String(minute) });
      const kept = chooseKept(all, now);
      all = all.filter(({ name }) => kept.has(name));
    }
    const ages = all
      .map(({ atMs }) => Math.round((NOW + (minutes - 1) * MINUTE - atMs) / MINUTE))
      .toSorted((a, b) => a - b);
    assert.deepEqual(ages.slice(0, 4), [0, 1, 2, 3]);
    assert.ok(all.length <= 12, ages.join());
    // A span is empty for as long as the one before it needs to give it something.
    for (const [from, to] of [
      [1, 7],
      [6, 30],
      [24, 8 * 24],
      [7 * 24, 9 * 24],
    ] as const) {
      assert.ok(
        ages.some((age) => age >= from * 60 && age <= to * 60),
        `${from} h: ${ages.join()}`,
      );
    }
  });

  it('the newest that has apps stays, whatever the number of empty ones after it', () => {
    const all = [backup(0, 1), ...Array.from({ length: 20 }, (_, index) => backup(-index, index + 2, 0))];
    assert.ok(chooseKept(all, NOW + 1000).has(all[0]?.name ?? ''));
  });

  it('the newest of the schema before stays: the way back to the Drover before', () => {
    const old = backup(0, 1, 3, 3);
    const all = [old, backup(0, 0, 3, 3), ...Array.from({ length: 20 }, (_, index) => backup(-index, index + 2))];
    assert.ok(chooseKept(all, NOW + 1000).has(old.name));
  });
});
