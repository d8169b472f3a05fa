/** The state on a disk that is full, read-only or failing, and when its file is taken away. Needs root, for mounting. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DroverError } from '../../src/protocol/index.ts';
import type { Store, Trouble } from '../../src/store/index.ts';
import { eventually } from '../support/eventually.ts';
import { failingDisk, noLoopDevices, noMounts, smallDisk } from '../support/file-systems.ts';
import { addApp, openState, vitalOf, workerOf } from '../support/state.ts';
import { temporaryFolder } from '../support/temporary.ts';

const QUICK = { settleMs: 20, everyMs: 20 };

/** Refused with the catalogue's words, and nothing of it done. */
function assertRefused(store: Store): void {
  const before = vitalOf(store);
  assert.throws(
    () => addApp(store, 'refused'),
    (error) => error instanceof DroverError && error.code === 'DROVER_STATE_UNWRITABLE' && error.hint !== null,
  );
  assert.deepEqual(vitalOf(store), before);
}

/** Appends until the disk takes no more. */
function exhaust(store: Store): void {
  for (let count = 0; store.condition.trouble === null; count += 1) {
    assert.ok(count < 10_000, 'the disk never became full');
    store.events.append({ app: 'shop', type: 'worker-exited', reason: 'x'.repeat(200) });
  }
}

describe('a state on a full disk', { skip: noMounts }, () => {
  it('keeps what happens, refuses what is asked for, says so once, and writes all of it when there is room', async () => {
    await using disk = await smallDisk(600 * 1024);
    const told: (Trouble | null)[] = [];
    const store = openState(disk.path);
    store.onTrouble((trouble) => told.push(trouble));
    addApp(store, 'shop');
    disk.fill();
    exhaust(store);
    assert.equal(told.length, 1);
    assert.match(told[0]?.reason ?? '', /full/);
    assertRefused(store);

    // A worker crashed and was started again; the supervisor's writes are seen by whoever reads.
    store.workers.remove(workerOf('shop', 0));
    store.workers.put(workerOf('shop', 0, 2));
    store.workers.setPhase(workerOf('shop', 0, 2), 'draining');
    store.workers.setRole(workerOf('shop', 0, 2), 'leaving');
    store.apps.note('shop', {
      ...(store.apps.find('shop') as NonNullable<ReturnType<Store['apps']['find']>>),
      release: 7,
    });
    const { id } = store.operations.beginUnasked({ kind: 'reload', app: 'shop', phase: 'booting', state: null });
    store.operations.advance(id, 'draining', null);
    const seq = store.events.append({ app: 'shop', type: 'worker-ready' });
    const seen = (state: Store): unknown => [
      state.workers.list('shop').map(({ slot, generation, phase, role }) => [slot, generation, phase, role]),
      state.apps.find('shop')?.release,
      state.operations.find(id)?.phase,
      state.events.list().find((event) => event.seq === seq)?.type,
    ];
    const expected = [
      [
        [0, 2, 'draining', 'leaving'],
        [1, 1, 'running', 'holder'],
      ],
      7,
      'draining',
      'worker-ready',
    ];
    assert.deepEqual(seen(store), expected);
    const { kept } = store.condition.trouble as Trouble;
    assert.ok(kept >= 6, String(kept));
    assert.equal(told.length, 1);

    disk.empty();
    // By itself, without anybody asking for anything.
    await eventually('it is written', () => store.condition.trouble === null, { withinMs: 15_000 });
    assert.equal(told.length, 2);
    assert.deepEqual(seen(store), expected);
    addApp(store, 'api');
    store.close();
    const again = openState(disk.path);
    assert.equal(again.condition.fallBack, null);
    assert.deepEqual(seen(again), expected);
    assert.deepEqual(
      again.apps.list().map(({ name }) => name),
      ['api', 'shop'],
    );
    again.close();
  });

  it('keeps together what belongs together, also when that is how it becomes known, and tells who listens', async () => {
    await using disk = await smallDisk(600 * 1024);
    const store = openState(disk.path);
    addApp(store, 'shop');
    const shop = store.apps.list()[0] as NonNullable<ReturnType<Store['apps']['find']>>;
    const heard: number[] = [];
    store.events.subscribe(({ seq }) => heard.push(seq));
    disk.fill();
    let release = 1;
    const note = (): void => {
      release += 1;
      store.keepTogether(() => {
        store.apps.note('shop', { ...shop, release });
        store.events.append({ app: 'shop', type: 'operation-ended', reason: `${release} ${'x'.repeat(200)}` });
      });
    };
    const assertBoth = (state: Store): void => {
      assert.equal(state.apps.find('shop')?.release, release);
      assert.match(state.events.list({ limit: 1 })[0]?.reason ?? '', new RegExp(`^${release} `));
    };
    while (store.condition.trouble === null) {
      assert.ok(release < 10_000, 'the disk never became full');
      note();
    }
    assertBoth(store);
    note();
    assertBoth(store);
    assert.equal(heard.length, release - 1);
    disk.empty();
    assert.doesNotThrow(() => store.assertWritable());
    store.close();
    const again = openState(disk.path);
    assertBoth(again);
    again.close();
  });

  it('remembers the newest events only, and counts the others', async () => {
    await using disk = await smallDisk(600 * 1024);
    const store = openState(disk.path);
    addApp(store, 'shop');
    disk.fill();
    exhaust(store);
    let last = 0;
    for (let count = 0; count < 2_000; count += 1) last = store.events.append({ app: 'shop', type: 'worker-exited' });
    const { dropped, kept } = store.condition.trouble as Trouble;
    assert.ok(dropped > 1_400 && kept < 600, `${dropped} dropped, ${kept} kept`);
    disk.empty();
    assert.doesNotThrow(() => store.assertWritable());
    assert.equal(store.events.list({ limit: 1 })[0]?.seq, last);
    store.close();
  });

  it('is opened there for the first time, begins in memory, and moves to the disk when there is room', async () => {
    await using disk = await smallDisk(400 * 1024);
    disk.fill();
    const store = openState(disk.path);
    assert.ok(store.condition.trouble !== null);
    assertRefused(store);
    store.events.append({ app: null, type: 'daemon-started' });
    store.meta.put('name', 'value');
    disk.empty();
    await eventually('it is written', () => store.condition.trouble === null, { withinMs: 15_000 });
    store.close();
    const again = openState(disk.path);
    assert.equal(again.meta.find('name'), 'value');
    assert.equal(again.events.list()[0]?.type, 'daemon-started');
    again.close();
  });

  it('is opened there with what it had, and its backups stay when there is no room for another', async () => {
    await using disk = await smallDisk(400 * 1024);
    const store = openState(disk.path);
    addApp(store, 'shop');
    const whole = vitalOf(store);
    store.close();
    const backups = readdirSync(join(disk.path, 'backups'));
    disk.fill();
    const full = openState(disk.path, { backupTimes: QUICK });
    assert.deepEqual(vitalOf(full), whole);
    full.workers.put(workerOf('shop', 0, 2));
    await eventually(
      'the failure is known',
      () => full.condition.backups?.failure !== null || full.condition.trouble !== null,
    );
    full.close();
    assert.deepEqual(readdirSync(join(disk.path, 'backups')), backups);
  });
});

describe('a state on a read-only file system', { skip: noMounts }, () => {
  it('is opened with what it had, its journal included, and moves to the disk when that can be written', async () => {
    await using folder = await temporaryFolder();
    await using disk = await smallDisk(4 * 1024 * 1024);
    const first = openState(folder.path);
    addApp(first, 'shop');
    const whole = vitalOf(first);
    // As a kill leaves it.
    for (const name of readdirSync(folder.path))
      cpSync(join(folder.path, name), join(disk.path, name), { recursive: true });
    first.close();
    assert.ok(readdirSync(disk.path).includes('state.db-wal'));
    disk.remountReadOnly();
    const store = openState(disk.path);
    assert.deepEqual(vitalOf(store), whole);
    assert.match(store.condition.trouble?.reason ?? '', /EROFS/);
    assertRefused(store);
    const seq = store.events.append({ app: 'shop', type: 'worker-ready' });
    disk.remountWritable();
    assert.doesNotThrow(() => store.assertWritable());
    assert.deepEqual(vitalOf(store), whole);
    addApp(store, 'api');
    store.close();
    const again = openState(disk.path);
    assert.equal(again.events.list().find((event) => event.seq === seq)?.type, 'worker-ready');
    assert.equal(again.apps.list().length, 2);
    again.close();
  });

  it('falls back to a backup there as well, and does it on the disk when that can be written', async () => {
    await using disk = await smallDisk(4 * 1024 * 1024);
    const first = openState(disk.path);
    addApp(first, 'shop');
    const whole = vitalOf(first);
    first.close();
    rmSync(join(disk.path, 'state.db'));
    disk.remountReadOnly();
    const store = openState(disk.path);
    assert.deepEqual(vitalOf(store), whole);
    assert.equal(store.condition.fallBack?.reason, 'it is missing');
    disk.remountWritable();
    assert.doesNotThrow(() => store.assertWritable());
    store.close();
    const again = openState(disk.path);
    assert.deepEqual(vitalOf(again), whole);
    assert.equal(again.condition.fallBack, null);
    again.close();
  });
});

describe('a state on a disk that fails', { skip: noLoopDevices }, () => {
  it('keeps what happens and refuses what is asked for, and is whole afterwards', async () => {
    await using disk = await failingDisk(16 * 1024 * 1024);
    const store = openState(disk.path);
    addApp(store, 'shop');
    const whole = vitalOf(store);
    disk.fail();
    store.events.append({ app: 'shop', type: 'worker-exited' });
    store.workers.put(workerOf('shop', 0, 2));
    assertRefused(store);
    assert.deepEqual(vitalOf(store), whole);
    assert.equal(store.workers.list('shop').length, 3);
    store.close();
    const again = openState(disk.path);
    assert.deepEqual(vitalOf(again), whole);
    again.close();
  });
});

describe('a state whose file is damaged while it is open', () => {
  it('keeps what happens, and is replaced by its backup at the next start', async () => {
    await using folder = await temporaryFolder();
    const first = openState(folder.path);
    // More than the connection has in memory.
    first.transaction(() => {
      for (let index = 0; index < 400; index += 1) addApp(first, `app-${index}`);
    });
    const whole = vitalOf(first);
    first.close();
    const store = openState(folder.path);
    const file = join(folder.path, 'state.db');
    const { size } = statSync(file);
    writeFileSync(file, Buffer.alloc(size, 0x5a));
    for (let index = 0; index < 400; index += 1) {
      store.workers.setPhase(workerOf(`app-${index}`, 0), 'draining');
      store.events.append({ app: `app-${index}`, type: 'worker-ready' });
    }
    assert.equal(store.condition.trouble?.isDamaged, true);
    assert.throws(
      () => addApp(store, 'refused'),
      (error) => error instanceof DroverError && /--keep-workers/.test(error.hint ?? ''),
    );
    store.close();
    const again = openState(folder.path);
    assert.ok(again.condition.fallBack !== null);
    assert.deepEqual(vitalOf(again), whole);
    again.close();
  });
});

describe('a state that is closed while a backup is taken', () => {
  it('is closed, and leaves a good backup or none', async () => {
    await using folder = await temporaryFolder();
    const store = openState(folder.path, { backupTimes: { settleMs: 1, everyMs: 1 } });
    for (let index = 0; index < 100; index += 1) addApp(store, `app-${index}`);
    const whole = vitalOf(store);
    // Looked at in every turn: it takes less than a timer, and timers of two can keep missing each other.
    const unfinished = join(folder.path, 'backups', 'state.unfinished');
    for (let turn = 0; !existsSync(unfinished); turn += 1) {
      if (turn % 100 === 0) store.events.append({ app: 'app-0', type: 'worker-ready' });
      await new Promise(setImmediate);
    }
    store.close();
    // Its lock ends with the backup; a daemon that has ended has none.
    const again = await eventually('it can be opened', () => openState(folder.path));
    assert.deepEqual([vitalOf(again), again.condition.fallBack], [whole, null]);
    again.close();
  });
});

describe('a state that is open', () => {
  it('is nobody else’s, whatever was changed and looked at since', async () => {
    await using folder = await temporaryFolder();
    const store = openState(folder.path);
    for (const name of ['shop', 'api']) addApp(store, name);
    const file = JSON.stringify(join(folder.path, 'state.db'));
    const look = `new (require('node:sqlite').DatabaseSync)(${file}).prepare('SELECT count(*) FROM apps').get()`;
    const ask = (): string => spawnSync(process.execPath, ['-e', look], { encoding: 'utf8' }).stderr;
    assert.match(ask(), /database is locked/);
    store.close();
    assert.doesNotMatch(ask(), /locked/);
  });
});

describe('a state whose file is truncated in its place while it is open', () => {
  it('takes no change that would be lost', async () => {
    await using folder = await temporaryFolder();
    const first = openState(folder.path);
    addApp(first, 'shop');
    first.close();
    const store = openState(folder.path);
    truncateSync(join(folder.path, 'state.db'));
    assert.throws(() => addApp(store, 'api'), { code: 'DROVER_STATE_UNWRITABLE' });
    assert.notEqual(store.condition.trouble, null);
    store.close();
  });
});

describe('a state whose file is taken away while it is open', () => {
  it('is written anew before the next change, from what the daemon has of it', async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, 'home');
    mkdirSync(home);
    const store = openState(home);
    addApp(store, 'shop');
    renameSync(home, join(folder.path, 'gone'));
    addApp(store, 'api');
    const whole = vitalOf(store);
    addApp(store, 'more');
    rmSync(join(home, 'state.db'));
    store.workers.remove(workerOf('more', 0));
    store.apps.remove('more');
    addApp(store, 'last');
    store.apps.remove('last');
    assert.deepEqual(vitalOf(store), whole);
    for (const name of ['state.db', 'state.db-wal'])
      assert.equal(statSync(join(home, name)).mode & 0o777, 0o600, `${name} is nobody else's to read`);
    store.close();
    const again = openState(home);
    assert.deepEqual(vitalOf(again), whole);
    assert.equal(again.condition.fallBack, null);
    again.close();
  });
});
