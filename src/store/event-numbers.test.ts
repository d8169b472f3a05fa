import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { RESERVED_KEY } from './event-numbers.ts';
import { migrate } from './migrate.ts';
import { openStore, openStoreOn, type Store } from './open.ts';

const time = { wallMs: Date.UTC(2026, 0, 1) };
const clock = { monotonicMs: () => 0, wallMs: () => time.wallMs };
const random = (): number => 0.5;

const open = (folder: string): Store => openStore({ file: join(folder, 'state.db'), clock, random });

/** The number of an event that happens now. */
const tell = (store: Store): number => store.events.append({ app: null, type: 'daemon-started' });

const inFolder = (work: (folder: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-numbers-'));
  try {
    mkdirSync(join(folder, 'home'));
    work(join(folder, 'home'));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** What is on the disk now, as the death of its daemon would leave it. */
const copyOf = (folder: string): string => {
  const copy = join(dirname(folder), 'killed');
  cpSync(folder, copy, { recursive: true });
  return copy;
};

describe('numbers of events', () => {
  it('go on where they were in a state that was closed, whoever looked at it meanwhile', () => {
    inFolder((folder) => {
      const first = open(folder);
      assert.deepEqual([tell(first), tell(first)], [1, 2]);
      first.close();
      open(folder).close();
      const next = open(folder);
      assert.equal(tell(next), 3);
      next.close();
    });
  });

  it('are not given again after a daemon whose last events never came to the disk', () => {
    inFolder((folder) => {
      const first = open(folder);
      tell(first);
      const killed = copyOf(folder);
      // Told to whoever followed, and not in the copy.
      let last = 0;
      for (let count = 0; count < 1_000; count += 1) last = tell(first);
      first.close();
      const next = open(killed);
      const again = tell(next);
      assert.ok(again > last, `${again} after ${last}`);
      assert.deepEqual(
        next.events.list({ afterSeq: last }).map(({ seq }) => seq),
        [again],
        'who asks for what is new hears of it',
      );
      next.close();
    });
  });

  it('are not given again after a fall-back, also where the daemon that fell back died before it told anything', () => {
    inFolder((folder) => {
      const first = open(folder);
      tell(first);
      first.transaction(() => first.meta.put('any', 'change'));
      // Takes the backup that is due.
      first.close();
      const second = open(folder);
      let last = 0;
      for (let count = 0; count < 1_000; count += 1) last = tell(second);
      const killed = copyOf(folder);
      second.close();
      const file = join(killed, 'state.db');
      writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0x5a));
      truncateSync(`${file}-wal`, 0);
      const silent = open(killed);
      assert.notEqual(silent.condition.fallBack, null);
      silent.close();
      const next = open(killed);
      assert.equal(next.condition.fallBack, null);
      const again = tell(next);
      assert.ok(again > last, `${again} after ${last}`);
      next.close();
    });
  });

  it('are not given again by daemons that never get to write one after the other', () => {
    const onReadOnlyDisk = (): Store => {
      const connect = () => {
        const connection = new DatabaseSync(':memory:');
        migrate(connection);
        return { connection, onlyInMemory: 'the file system is read-only' };
      };
      const every = () => () => {};
      return openStoreOn({ file: 'state.db', clock, open: connect, every }, { random });
    };
    const first = onReadOnlyDisk();
    let last = 0;
    for (let count = 0; count < 100; count += 1) last = tell(first);
    time.wallMs += 1_000;
    const again = tell(onReadOnlyDisk());
    assert.ok(again > last, `${again} after ${last}`);
  });

  it('are reserved long before they are used up, and what is refused reserves nothing', () => {
    const store = openStore({ file: ':memory:', clock, random });
    const reserved = (): number => Number(store.meta.find(RESERVED_KEY) ?? 0);
    assert.throws(() =>
      store.transaction(() => {
        tell(store);
        throw new Error('refused');
      }),
    );
    assert.equal(reserved(), 0);
    const last = tell(store);
    assert.ok(reserved() > last + 100_000);
  });
});
