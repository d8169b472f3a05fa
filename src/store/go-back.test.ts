import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { MIGRATIONS } from './migrate.ts';
import { openStore, type Store } from './open.ts';

const clock = { monotonicMs: () => 0, wallMs: () => Date.now() };
/** One step more than this program knows. */
const LATER = [...MIGRATIONS, 'ALTER TABLE events ADD COLUMN later TEXT; ALTER TABLE apps ADD COLUMN later TEXT'];

const inFolder = (work: (file: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-back-'));
  try {
    work(join(folder, 'state.db'));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const open = (
  file: string,
  more: { readonly goesBack?: boolean; readonly migrations?: readonly string[] } = {},
): Store => openStore({ file, clock, random: Math.random, ...more });

const reasonsIn = (store: Store): readonly (string | null)[] =>
  store.events.list({ limit: 100 }).map(({ reason }) => reason);

const note = (store: Store, reason: string): void =>
  void store.events.append({ app: null, type: 'daemon-started', reason });

describe('a state that a later program has changed and left', () => {
  it('is gone back behind, with what happened since', () => {
    inFolder((file) => {
      const old = open(file);
      note(old, 'before');
      const operation = old.operations.begin({ kind: 'reload', app: 'shop', phase: 'booting', state: {} });
      old.close();
      const later = open(file, { migrations: LATER });
      note(later, 'by the later one');
      later.operations.end(operation.id, 'done', { outcome: 'completed' } as never);
      later.close();

      assert.throws(() => open(file), { code: 'DROVER_STATE_NEWER' }, 'only where an upgrade was begun');
      const back = open(file, { goesBack: true });
      assert.deepEqual(reasonsIn(back), ['before', 'by the later one']);
      assert.equal(back.operations.find(operation.id)?.status, 'done', 'it ended once');
      assert.equal(back.condition.wentBack?.schema, LATER.length);
      assert.equal(back.condition.fallBack, null, 'nothing was damaged');
      note(back, 'again');
      back.close();
      assert.ok(
        readdirSync(join(file, '..')).some((name) => name.startsWith('state.db.newer-')),
        'nothing is deleted',
      );
    });
  });

  it('is not taken for one that is ahead, when a later program comes again', () => {
    inFolder((file) => {
      const old = open(file);
      note(old, 'before');
      old.close();
      const later = open(file, { migrations: LATER });
      for (let count = 0; count < 20; count++) note(later, 'much');
      // Leaves a backup of its schema, whose last event is far ahead.
      later.transaction(() => later.meta.put('any', 'thing'));
      later.close();
      // Then nothing can be taken along, and the state is behind that backup.
      const connection = new DatabaseSync(file);
      connection.exec('DROP TABLE operations');
      connection.close();
      const back = open(file, { goesBack: true });
      assert.deepEqual(reasonsIn(back), ['before']);
      note(back, 'since');
      back.close();
      const again = open(file, { migrations: LATER });
      assert.equal(again.condition.fallBack, null);
      assert.equal(reasonsIn(again).at(-1), 'since');
      again.close();
    });
  });

  it('stays refused where there is no backup to go back to', () => {
    inFolder((file) => {
      open(file, { migrations: LATER }).close();
      rmSync(join(file, '..', 'backups'), { recursive: true, force: true });
      assert.throws(() => open(file, { goesBack: true }), { code: 'DROVER_STATE_NEWER' });
    });
  });
});
