/**
 * A state file that was damaged while nobody looked: bytes changed, the end cut off, emptied, removed, its journal
 * likewise. Seeded. Each case ends with all that decides what runs, or says what it fell back to; none with a crash.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DroverError } from '../../src/protocol/index.ts';
import { FELL_BACK_KEY, openStore } from '../../src/store/index.ts';
import { seeded } from '../support/random.ts';
import { addApp, openState, systemClock, type Vital, vitalOf } from '../support/state.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const CASES = 240;
const APPS = 6;

/** What a daemon leaves that was killed: the file, its journal with changes in it, and a backup before the last app. */
interface Home {
  readonly folder: string;
  /** The whole of it, and what the backup has. */
  readonly whole: Vital;
  readonly backedUp: Vital;
}

let temporary: TemporaryFolder;
let home: Home;

before(async () => {
  temporary = await temporaryFolder();
  const folder = join(temporary.path, 'home');
  mkdirSync(folder);
  const first = openState(folder);
  for (let index = 0; index < APPS - 1; index += 1) addApp(first, `app-${index}`);
  for (let index = 0; index < 400; index += 1)
    first.events.append({ app: 'app-0', type: 'worker-exited', reason: 'x' });
  // Closing takes the backup that is due.
  first.close();
  const live = openState(folder, { backupTimes: { settleMs: 1e6, everyMs: 1e6 } });
  const backedUp = vitalOf(live);
  addApp(live, 'last');
  const whole = vitalOf(live);
  // Copied while it is open, as a kill would leave it: with the journal.
  const killed = join(temporary.path, 'killed');
  cpSync(folder, killed, { recursive: true });
  live.close();
  assert.ok(existsSync(join(killed, 'state.db-wal')));
  assert.equal(readdirSync(join(killed, 'backups')).length, 1);
  home = { folder: killed, whole, backedUp };
});
after(async () => temporary[Symbol.asyncDispose]());

type Damage = (folder: string, random: () => number) => string;

const FILES = ['state.db', 'state.db-wal'];
const pick = <Value>(values: readonly Value[], random: () => number): Value =>
  values[Math.floor(random() * values.length)] as Value;

const DAMAGES: readonly Damage[] = [
  function bytes(folder, random) {
    const file = pick(FILES, random);
    const contents = readFileSync(join(folder, file));
    const count = 1 + Math.floor(random() * 40);
    for (let index = 0; index < count; index += 1) {
      contents[Math.floor(random() * contents.length)] = Math.floor(random() * 256);
    }
    writeFileSync(join(folder, file), contents);
    return `${count} bytes of ${file}`;
  },
  function run(folder, random) {
    const file = pick(FILES, random);
    const contents = readFileSync(join(folder, file));
    const from = Math.floor(random() * contents.length);
    const fill = pick([0, 0xff, 0x20], random);
    contents.fill(fill, from, Math.min(contents.length, from + Math.floor(random() * 20_000)));
    writeFileSync(join(folder, file), contents);
    return `${file} overwritten with ${fill} from ${from}`;
  },
  function cut(folder, random) {
    const file = pick(FILES, random);
    const { length } = readFileSync(join(folder, file));
    const to = Math.floor(random() * length);
    truncateSync(join(folder, file), to);
    return `${file} cut to ${to}`;
  },
  function cutAtPage(folder, random) {
    const { length } = readFileSync(join(folder, 'state.db'));
    const to = Math.floor((random() * length) / 4096) * 4096;
    truncateSync(join(folder, 'state.db'), to);
    return `state.db cut to ${to}`;
  },
  function removed(folder, random) {
    const files = pick([['state.db'], ['state.db-wal'], FILES], random);
    for (const file of files) rmSync(join(folder, file));
    return `${files.join(' and ')} removed`;
  },
];

/** Opens what the damage left, and returns what became of it. */
function outcomeOf(folder: string, what: string): 'whole' | 'said' | 'fell back' {
  const store = openState(folder);
  try {
    const { fallBack, lostChanges, trouble } = store.condition;
    assert.equal(trouble, null, what);
    const vital = vitalOf(store);
    // Everything else can be read as well, whatever is in it.
    store.events.list();
    store.operations.list();
    store.workers.list();
    // And written.
    addApp(store, 'new');
    if (fallBack !== null) {
      assert.deepEqual(vital, home.backedUp, what);
      // SQLite's own heading has stars; one may also be the very byte that was damaged.
      assert.doesNotMatch(fallBack.reason, /\n|\*\*/, `${what}: a reason is one line of words`);
      const aside = fallBack.setAside;
      assert.equal(aside === null, what.startsWith('state.db and'), `${what}: ${String(aside)}`);
      return 'fell back';
    }
    if (isSame(vital, home.whole)) return lostChanges > 0 ? 'said' : 'whole';
    // Without the end of its journal it is as it was some changes ago, and not before the backup.
    assert.ok(hasAll(home.whole, vital) && hasAll(vital, home.backedUp), what);
    assert.ok(
      lostChanges > 0 || what.includes('-wal cut') || what.includes('-wal removed'),
      `${what}: nothing was said`,
    );
    return 'said';
  } finally {
    store.close();
  }
}

/** Every record of `less` is in `more` as it is. */
function hasAll(more: Vital, less: Vital): boolean {
  const texts = (vital: Vital): string[] =>
    Object.values(vital)
      .flat()
      .map((record) => JSON.stringify(record));
  const all = new Set(texts(more));
  return texts(less).every((text) => all.has(text));
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

describe('a damaged state file', () => {
  it(`is opened whole, or says what it lost or fell back to, in ${CASES} seeded cases`, () => {
    const counts = { whole: 0, said: 0, 'fell back': 0 };
    for (let seed = 1; seed <= CASES; seed += 1) {
      const random = seeded(seed);
      const folder = join(temporary.path, `case-${seed}`);
      cpSync(home.folder, folder, { recursive: true });
      const damage = DAMAGES[seed % DAMAGES.length] as Damage;
      const what = damage(folder, random);
      try {
        counts[outcomeOf(folder, what)] += 1;
      } catch (cause) {
        throw new Error(`seed ${seed}: ${what}`, { cause });
      }
      rmSync(folder, { recursive: true });
    }
    assert.ok(counts['fell back'] > CASES / 4, JSON.stringify(counts));
    assert.ok(counts.whole > 0 && counts.said > 0, JSON.stringify(counts));
  });

  it('does not start another program because one letter of a configuration has changed', () => {
    const folder = join(temporary.path, 'letters');
    mkdirSync(folder);
    const store = openState(folder);
    for (let index = 0; index < APPS; index += 1) addApp(store, `app-${index}`);
    const whole = vitalOf(store);
    store.close();
    const file = join(folder, 'state.db');
    const good = readFileSync(file);
    let noticed = 0;
    for (let at = good.indexOf('/srv/app-'); at >= 0; at = good.indexOf('/srv/app-', at + 1)) {
      const bad = Buffer.from(good);
      bad.write('x', at + 1);
      writeFileSync(file, bad);
      const opened = openState(folder);
      // Some lie where a row has been before: nobody reads them.
      if (opened.condition.fallBack !== null) noticed += 1;
      assert.deepEqual(vitalOf(opened), whole, `the letter at ${at} was not noticed`);
      opened.close();
    }
    assert.ok(noticed >= 2 * APPS, String(noticed));
  });

  it('is refused by name where there is no backup, and left as it is', () => {
    const folder = join(temporary.path, 'no-backup');
    cpSync(home.folder, folder, { recursive: true });
    rmSync(join(folder, 'backups'), { recursive: true });
    truncateSync(join(folder, 'state.db'), 5_000);
    const before = readdirSync(folder);
    const journal = readFileSync(join(folder, 'state.db-wal'));
    assert.throws(() => openState(folder), { code: 'DROVER_STATE_UNREADABLE', message: /state\.db/ });
    assert.deepEqual(readdirSync(folder), before);
    assert.deepEqual(readFileSync(join(folder, 'state.db-wal')), journal);
  });

  for (const name of FILES) {
    for (const [what, make] of [
      ['a directory', (path: string) => mkdirSync(path)],
      ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ] as const) {
      it(`gives way to its backup where ${what} is in the place of ${name}`, () => {
        const folder = join(temporary.path, `${what}-${name}`.replaceAll(' ', '-'));
        cpSync(home.folder, folder, { recursive: true });
        rmSync(join(folder, name));
        make(join(folder, name));
        const store = openState(folder);
        assert.deepEqual(vitalOf(store), home.backedUp);
        assert.match(store.condition.fallBack?.reason ?? '', /is not a file/);
        store.close();
        assert.ok(statSync(join(folder, 'state.db')).isFile());
        assert.ok(
          readdirSync(folder).some((each) => each.startsWith('state.db.damaged-')),
          'it is moved aside, not deleted',
        );
      });
    }
  }

  it('gives way to an older backup where the newest one is damaged too', () => {
    const folder = join(temporary.path, 'older');
    cpSync(home.folder, folder, { recursive: true });
    const [good = ''] = readdirSync(join(folder, 'backups'));
    const newer = good.replace(/-e(\d+)-/, (_, seq: string) => `-e${Number(seq) + 5}-`);
    copyFileSync(join(folder, 'backups', good), join(folder, 'backups', newer));
    truncateSync(join(folder, 'backups', newer), 9_000);
    writeFileSync(join(folder, 'state.db'), '');
    const store = openState(folder);
    assert.deepEqual(vitalOf(store), home.backedUp);
    assert.equal(store.condition.fallBack?.reason, 'it is empty');
    assert.equal(statSync(join(folder, 'state.db')).mode & 0o777, 0o600);
    store.close();
    // Whoever opens it next, before the operations of the backup were ended, finds a sound file that says what it is.
    const next = openState(folder);
    assert.equal(next.condition.fallBack, null);
    assert.match(next.meta.find(FELL_BACK_KEY) ?? '', /^\d+$/);
    next.meta.remove(FELL_BACK_KEY);
    next.close();
    const last = openState(folder);
    assert.equal(last.meta.find(FELL_BACK_KEY), undefined);
    last.close();
  });

  it('that is an older copy is replaced by the backup that is ahead of it', () => {
    const folder = join(temporary.path, 'behind');
    mkdirSync(folder);
    const store = openState(folder);
    addApp(store, 'shop');
    store.close();
    copyFileSync(join(folder, 'state.db'), join(folder, 'old.db'));
    const later = openState(folder);
    addApp(later, 'api');
    later.close();
    renameSync(join(folder, 'old.db'), join(folder, 'state.db'));
    const restored = openState(folder);
    assert.match(restored.condition.fallBack?.reason ?? '', /older than its backup/);
    assert.equal(restored.apps.list().length, 2);
    restored.close();
  });

  it('from a newer Drover is refused with both versions, and nothing is changed', () => {
    const folder = join(temporary.path, 'newer');
    mkdirSync(folder);
    const first = openState(folder);
    addApp(first, 'shop');
    first.close();
    // A Drover that knows less.
    const known = ['CREATE TABLE meta (key TEXT)'];
    const before = readFileSync(join(folder, 'state.db'));
    const error = ((): unknown => {
      try {
        openState(folder, { version: '1.0.0', migrations: known });
      } catch (thrown) {
        return thrown;
      }
      return null;
    })();
    assert.ok(error instanceof DroverError);
    assert.equal(error.code, 'DROVER_STATE_NEWER');
    assert.match(error.message, /9\.9\.9 had it last, this is 1\.0\.0/);
    assert.match(error.hint ?? '', /Install Drover 9\.9\.9/);
    assert.deepEqual(readFileSync(join(folder, 'state.db')), before);
  });

  it('is not replaced by a backup of a newer Drover', () => {
    const folder = join(temporary.path, 'newer-backup');
    cpSync(home.folder, folder, { recursive: true });
    const [good = ''] = readdirSync(join(folder, 'backups'));
    const newer = good.replace(/-s\d+-e(\d+)-/, (_, seq: string) => `-s99-e${Number(seq) + 5}-`);
    copyFileSync(join(folder, 'backups', good), join(folder, 'backups', newer));
    writeFileSync(join(folder, 'state.db'), '');
    const store = openState(folder);
    assert.deepEqual(vitalOf(store), home.backedUp);
    store.close();
  });

  it('is migrated after a backup; a migration that fails leaves the file as it was', async () => {
    const { MIGRATIONS } = await import('../../src/store/index.ts');
    const folder = join(temporary.path, 'migrated');
    mkdirSync(folder);
    const first = openState(folder);
    addApp(first, 'shop');
    first.close();
    rmSync(join(folder, 'backups'), { recursive: true });
    const before = readFileSync(join(folder, 'state.db'));
    const broken = [...MIGRATIONS, 'CREATE TABLE one (a INTEGER)', 'CREATE TABLE broken'];
    const options = { file: join(folder, 'state.db'), clock: systemClock, random: Math.random };
    assert.throws(() => openStore({ ...options, migrations: broken }), { code: 'DROVER_STATE_UNREADABLE' });
    assert.deepEqual(readFileSync(join(folder, 'state.db')), before);
    const good = [...MIGRATIONS, "UPDATE apps SET file = 'moved'"];
    const next = openStore({ ...options, migrations: good });
    assert.equal(next.apps.find('shop')?.file, 'moved');
    next.close();
    const backups = readdirSync(join(folder, 'backups'));
    assert.ok(
      backups.some((name) => name.includes(`-s${MIGRATIONS.length}-`)),
      backups.join(),
    );
  });
});
