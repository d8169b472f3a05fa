/** The state file when the daemon dies, when a second one comes, and when it is not what it should be. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { DroverError } from '../../src/protocol/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const STORE_MODULE = join(import.meta.dirname, '..', '..', 'src', 'store', 'index.ts');
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const open = (file: string): Store => openStore({ file, clock, random: Math.random });

const refusal = (file: string): DroverError => {
  try {
    open(file).close();
  } catch (error) {
    if (error instanceof DroverError) return error;
    throw error;
  }
  throw new Error('it was opened');
};

/** Appends events and moves two facts together, and says after each what it has written. */
const WRITER = (file: string): string => `
  import { openStore } from ${JSON.stringify(STORE_MODULE)};
  import { writeSync } from 'node:fs';
  const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
  const store = openStore({ file: ${JSON.stringify(file)}, clock, random: Math.random });
  for (let i = 1; ; i++) {
    store.transaction(() => {
      store.meta.put('left', String(i));
      store.events.append({ app: 'shop', type: 'worker-ready', data: { i } });
      store.meta.put('right', String(i));
    });
    writeSync(1, i + '\\n');
  }`;

describe('the state file', () => {
  it('has everything that a daemon had written when it was killed, and no half of it', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'state.db');
    for (const round of [1, 2, 3]) {
      const writer = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', WRITER(file)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let said = 0;
      for await (const line of createInterface({ input: writer.stdout })) {
        said = Number(line);
        if (said === 40 * round) writer.kill('SIGKILL');
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
      const store = open(file);
      const left = Number(store.meta.find('left'));
      assert.ok(left === said || left === said + 1, `${left} on file, ${said} were said`);
      assert.equal(store.meta.find('right'), String(left));
      assert.equal(store.events.list().at(-1)?.data['i'], left);
      store.close();
    }
  });

  it('is refused to a second daemon while the first lives', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'state.db');
    const store = open(file);
    // SQLite's locks are between processes, so the second daemon must be one.
    const second = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', WRITER(file)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(second, 'close');
    assert.match(said, /another daemon holds it/);
    store.meta.put('still', 'mine');
    assert.equal(store.meta.find('still'), 'mine');
    store.close();
  });

  it('is refused with a reason when it is damaged, no database, a folder, or from a newer Drover', async () => {
    await using folder = await temporaryFolder();
    const path = (name: string): string => join(folder.path, name);

    writeFileSync(path('text.db'), 'this is not a database, it is a sentence that is long enough to be looked at\n');
    assert.equal(refusal(path('text.db')).code, 'DROVER_STATE_UNREADABLE');
    assert.match(refusal(path('text.db')).message, /not a database/);
    assert.equal(refusal(folder.path).code, 'DROVER_STATE_UNREADABLE');

    const store = open(path('damaged.db'));
    for (let count = 0; count < 500; count += 1) store.events.append({ app: 'shop', type: 'app-changed' });
    store.close();
    const whole = readFileSync(path('damaged.db'));
    truncateSync(path('damaged.db'), whole.length - 8192);
    assert.equal(refusal(path('damaged.db')).code, 'DROVER_STATE_UNREADABLE');

    open(path('newer.db')).close();
    const database = new DatabaseSync(path('newer.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.match(refusal(path('newer.db')).message, /newer Drover \(schema 99, this one knows \d+\)/);
  });

  it('is for its owner only, and one file once closed', async () => {
    await using folder = await temporaryFolder();
    const store = open(join(folder.path, 'state.db'));
    store.meta.put('a', 'b');
    for (const name of readdirSync(folder.path)) {
      assert.equal(statSync(join(folder.path, name)).mode & 0o777, 0o600, name);
    }
    store.close();
    assert.deepEqual(readdirSync(folder.path), ['state.db']);
  });
});
