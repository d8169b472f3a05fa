/** A daemon that is killed at any moment of writing its state, of taking a backup, or of falling back to one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { connectUnchanged } from '../../src/store/connection.ts';
import { findDamage } from '../../src/store/verify.ts';
import { seeded } from '../support/random.ts';
import { addApp, openState, vitalOf } from '../support/state.ts';
import { temporaryFolder } from '../support/temporary.ts';

const STATE_MODULE = join(import.meta.dirname, '..', 'support', 'state.ts');
const ROUNDS = 40;

/** Adds and removes apps, with a backup as often as one can be taken, and says each that is written. */
const writer = (folder: string, from: number): string => `
  import { writeSync } from 'node:fs';
  import { setImmediate } from 'node:timers/promises';
  import { addApp, openState } from ${JSON.stringify(STATE_MODULE)};
  const store = openState(${JSON.stringify(folder)}, { backupTimes: { settleMs: 1, everyMs: 1 } });
  writeSync(1, 'open ' + (store.condition.fallBack === null ? 'good' : 'fell-back') + '\\n');
  for (let number = ${from}; ; number += 1) {
    addApp(store, 'app-' + number);
    writeSync(1, 'added ' + number + '\\n');
    if (number % 3 === 0) store.apps.remove('app-' + (number - 1));
    await setImmediate();
  }`;

/** Runs it until it has said so much, plus a little, and kills it; returns the last number that it said. */
async function runAndKill(source: string, lines: number, afterMs: number): Promise<{ last: number; said: string[] }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) setTimeout(() => child.kill('SIGKILL'), afterMs);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const added = said.filter((line) => line.startsWith('added ')).map((line) => Number(line.slice('added '.length)));
  return { last: added.at(-1) ?? 0, said };
}

function backupsIn(folder: string): readonly string[] {
  const path = join(folder, 'backups');
  return existsSync(path) ? readdirSync(path) : [];
}

const assertBackupsGood = (folder: string): number => {
  const names = backupsIn(folder).filter((name) => /^state-.*\.db$/.test(name));
  for (const name of names) {
    const connection = connectUnchanged(join(folder, 'backups', name));
    assert.equal(findDamage(connection), null, name);
    connection.close();
  }
  return names.length;
};

describe('a daemon that is killed', () => {
  it(`in the middle of writes and backups, ${ROUNDS} times, has lost nothing that it said`, async () => {
    await using folder = await temporaryFolder();
    const random = seeded(7);
    let next = 1;
    let unfinished = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { last, said } = await runAndKill(
        writer(folder.path, next),
        2 + Math.floor(random() * 12),
        Math.floor(random() * 12),
      );
      assert.equal(said[0], 'open good');
      unfinished += backupsIn(folder.path).filter((name) => name.includes('unfinished')).length;
      const store = openState(folder.path);
      assert.deepEqual([store.condition.fallBack, store.condition.lostChanges], [null, 0]);
      const names = new Set(store.apps.list().map(({ name }) => name));
      // The last one may have been removed again, or another one been added that was not said any more.
      for (let number = next; number <= last; number += 1) {
        assert.ok(names.has(`app-${number}`) || (number + 1) % 3 === 0, `round ${round}: app-${number}`);
      }
      next = Math.max(last, ...[...names].map((name) => Number(name.slice('app-'.length)))) + 1;
      store.close();
      assertBackupsGood(folder.path);
    }
    assert.ok(assertBackupsGood(folder.path) > 0);
    assert.ok(unfinished > 0, 'no kill met a backup');
  });

  it('while it falls back is brought back by the next one', async () => {
    await using folder = await temporaryFolder();
    const store = openState(folder.path);
    for (let index = 0; index < 40; index += 1) addApp(store, `app-${index}`);
    const whole = vitalOf(store);
    store.close();
    const random = seeded(11);
    for (let round = 0; round < 15; round += 1) {
      const { size } = statSync(join(folder.path, 'state.db'));
      writeFileSync(join(folder.path, 'state.db'), Buffer.alloc(size, round));
      const source = `
        import { openState } from ${JSON.stringify(STATE_MODULE)};
        process.stdout.write('soon\\n', () => { openState(${JSON.stringify(folder.path)}); setInterval(() => {}, 1e6); });`;
      await runAndKill(source, 1, Math.floor(random() * 25));
      const after = openState(folder.path);
      assert.deepEqual(vitalOf(after), whole);
      after.close();
    }
  });
});
