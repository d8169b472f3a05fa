/** What the real store promises, on a real disk and on the simulated one: the same list of tests for both. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DroverError } from '../../src/protocol/index.ts';
import { openStoreOn, type Store } from '../../src/store/index.ts';
import { noMounts, smallDisk } from '../support/file-systems.ts';
import { addApp, openState, vitalOf, workerOf } from '../support/state.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { Disk } from './disk.ts';

interface DiskUnderTest {
  readonly store: Store;
  /** From now on it takes nothing; the store has noticed. */
  readonly fill: () => void;
  /** There is room again. */
  readonly empty: () => void;
  /** The daemon is killed, and the next one opens the state. */
  readonly kill: () => Store;
}

const append = (store: Store): void =>
  void store.events.append({ app: 'shop', type: 'worker-exited', reason: 'x'.repeat(200) });

const onFiles = async (test: (disk: DiskUnderTest) => void): Promise<void> => {
  await using disk = await smallDisk(600 * 1024);
  await using after = await temporaryFolder();
  const store = openState(disk.path);
  let next: Store | null = null;
  try {
    test({
      store,
      fill() {
        disk.fill();
        for (let count = 0; store.condition.trouble === null; count += 1) {
          assert.ok(count < 10_000, 'the disk never became full');
          append(store);
        }
      },
      empty: () => disk.empty(),
      kill() {
        // As a kill leaves it, on a disk that has room.
        for (const name of readdirSync(disk.path)) {
          if (name.startsWith('state.db')) cpSync(join(disk.path, name), join(after.path, name));
        }
        next = openState(after.path);
        return next;
      },
    });
  } finally {
    store.close();
    (next as Store | null)?.close();
  }
};

const onSimulated = (rollsBackByItself: boolean) => async (test: (disk: DiskUnderTest) => void) => {
  const disk = new Disk(
    () => 0,
    () => {},
  );
  const open = (): Store => {
    const hooks = { onCommitted: () => {}, rollsBackByItself: () => rollsBackByItself, death: () => new Error('dead') };
    const clock = { monotonicMs: () => 0, wallMs: () => 0 };
    const connect = () => {
      const { session, onlyInMemory } = disk.open(hooks);
      return { connection: session.asConnection, onlyInMemory };
    };
    return openStoreOn({ file: 'state.db', clock, open: connect, every: () => () => {} }, { random: () => 0.5 });
  };
  const store = open();
  try {
    test({
      store,
      fill() {
        disk.condition = 'full';
        append(store);
      },
      empty: () => void (disk.condition = 'well'),
      kill() {
        disk.abandon();
        disk.condition = 'well';
        return open();
      },
    });
  } finally {
    disk.close();
  }
};

const workersOf = (store: Store): readonly string[] =>
  store.workers.list('shop').map(({ slot, generation, phase }) => `${slot}#${generation} ${phase}`);

const BEGUN = { kind: 'reload', app: 'shop', phase: 'booting', state: null } as const;

const kinds = [
  { what: 'files', on: onFiles, skip: noMounts },
  { what: 'the simulated disk', on: onSimulated(false), skip: false },
  { what: 'the simulated disk, where a refused commit is rolled back at once', on: onSimulated(true), skip: false },
];

for (const { what, on, skip } of kinds) {
  describe(`a state on ${what}`, { skip }, () => {
    it('keeps all that was written over a kill', () =>
      on(({ store, kill }) => {
        addApp(store, 'shop');
        const { id } = store.operations.begin(BEGUN);
        store.operations.advance(id, 'draining', null);
        store.workers.setPhase(workerOf('shop', 0), 'draining');
        const whole = vitalOf(store);
        const next = kill();
        assert.deepEqual(vitalOf(next), whole);
        assert.deepEqual(workersOf(next), ['0#1 draining', '1#1 running']);
        assert.equal(next.operations.find(id)?.phase, 'draining');
      }));

    it('refuses a change that the disk does not take, and nothing of it is done', () =>
      on(({ store, fill, kill }) => {
        addApp(store, 'shop');
        fill();
        const whole = vitalOf(store);
        const isRefusal = (error: unknown): boolean =>
          error instanceof DroverError && error.code === 'DROVER_STATE_UNWRITABLE';
        assert.throws(() => store.transaction(() => void store.apps.change('shop', { wanted: 'stopped' })), isRefusal);
        assert.throws(() => store.operations.begin(BEGUN), isRefusal);
        assert.deepEqual(vitalOf(store), whole);
        assert.deepEqual(vitalOf(kill()), whole);
      }));

    it('shows what happened meanwhile, and loses it with the daemon', () =>
      on(({ store, fill, kill }) => {
        addApp(store, 'shop');
        fill();
        store.workers.remove(workerOf('shop', 0));
        store.workers.put(workerOf('shop', 0, 2));
        const { id } = store.operations.beginUnasked(BEGUN);
        store.keepTogether(() => {
          store.workers.setPhase(workerOf('shop', 1), 'draining');
          store.operations.advance(id, 'draining', null);
        });
        assert.deepEqual(workersOf(store), ['0#2 running', '1#1 draining']);
        assert.equal(store.operations.find(id)?.phase, 'draining');
        const next = kill();
        assert.deepEqual(workersOf(next), ['0#1 running', '1#1 running']);
        assert.equal(next.operations.find(id), undefined);
      }));

    it('writes it once there is room, in order', () =>
      on(({ store, fill, empty, kill }) => {
        addApp(store, 'shop');
        fill();
        store.workers.remove(workerOf('shop', 0));
        store.workers.put(workerOf('shop', 0, 2));
        store.workers.setPhase(workerOf('shop', 0, 2), 'starting');
        empty();
        // A change is tried, and what is remembered goes before it.
        store.apps.change('shop', { instances: 3 });
        assert.equal(store.condition.trouble, null);
        const next = kill();
        assert.deepEqual(workersOf(next), ['0#2 starting', '1#1 running']);
        assert.equal(next.apps.find('shop')?.instances, 3);
      }));
  });
}

describe('the simulated disk when the machine goes down', () => {
  const play = (share: number): readonly number[] => {
    const disk = new Disk(
      () => 0,
      () => {},
    );
    const hooks = { onCommitted: () => {}, rollsBackByItself: () => false, death: () => new Error('dead') };
    const { session } = disk.open(hooks);
    const insert = session.prepare('INSERT INTO meta (key, value) VALUES (:key, :value)');
    session.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    insert.run({ key: '0', value: 'synced' });
    session.exec('COMMIT; PRAGMA synchronous = NORMAL');
    for (const key of ['1', '2', '3']) insert.run({ key, value: 'not synced' });
    disk.crash(share);
    const left = disk.open(hooks).session.prepare('SELECT key FROM meta ORDER BY key').all();
    disk.close();
    return left.map((row) => Number((row as { key: string }).key));
  };

  it('loses what came after the last sync from some point on, and nothing before', () => {
    assert.deepEqual(play(0), [0]);
    assert.deepEqual(play(0.5), [0, 1, 2]);
    assert.deepEqual(play(0.999), [0, 1, 2, 3]);
  });
});
