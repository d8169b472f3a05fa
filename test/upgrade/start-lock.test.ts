/** The lock of those who start a daemon: one at a time, whoever dies with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { takeStartLock, type StartLock, type StartTurn } from '../../src/program/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const take = async (home: string, patienceMs = 0): Promise<StartTurn> =>
  takeStartLock(home, { isServed: async () => Promise.resolve(false), patienceMs });

const taken = async (home: string): Promise<StartLock> => {
  const turn = await take(home);
  assert.ok(turn.kind === 'taken');
  return turn.lock;
};

const startHolder = () =>
  spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });

describe('the start lock', () => {
  it('is held until it is left, and whoever waits is told when a daemon serves', async () => {
    await using home = await temporaryFolder('lock');
    const lock = await taken(home.path);
    assert.deepEqual(await take(home.path), { kind: 'held', pid: process.pid });
    assert.deepEqual(
      await takeStartLock(home.path, { isServed: async () => Promise.resolve(true), patienceMs: 1000 }),
      { kind: 'served' },
    );
    lock.leave();
    assert.deepEqual(
      await takeStartLock(home.path, { isServed: async () => Promise.resolve(true), patienceMs: 0 }),
      { kind: 'served' },
      'what was free may have been given up because its work was done',
    );
    (await taken(home.path)).leave();
    assert.equal(readdirSync(join(home.path, 'versions')).length, 1, 'nothing piles up');
  });

  it('is held by what was started as well, until that ends', async () => {
    await using home = await temporaryFolder('lock');
    const holder = startHolder();
    await once(holder, 'spawn');
    const lock = await taken(home.path);
    lock.share(holder.pid ?? 0);
    lock.leave();
    assert.deepEqual(await take(home.path), { kind: 'held', pid: holder.pid });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    (await taken(home.path)).leave();
  });

  for (const [what, change] of [
    ['another start time', (text: string) => text.replace(/"startTicks":\d+/, '"startTicks":1')],
    ['another boot', (text: string) => text.replace(/"bootId":"[^"]*"/, '"bootId":"another"')],
    ['a torn file', () => '{"bootI'],
  ] as const) {
    it(`is not held by a process of the same pid: ${what}`, async () => {
      await using home = await temporaryFolder('lock');
      await taken(home.path);
      const file = join(home.path, 'versions/start-1.lock');
      writeFileSync(file, change(readFileSync(file, 'utf8')));
      await taken(home.path);
      assert.equal(existsSync(file), false);
    });
  }

  it('is held by one of many at a time, also where they end without leaving it', async () => {
    await using home = await temporaryFolder('lock');
    const program = `
      import { mkdirSync, rmdirSync } from 'node:fs';
      import { takeStartLock } from ${JSON.stringify(join(import.meta.dirname, '../../src/program/index.ts'))};
      const [home, rounds] = process.argv.slice(1);
      for (let round = 1; round <= Number(rounds); round++) {
        const turn = await takeStartLock(home, { isServed: async () => false, patienceMs: 60_000 });
        // Throws where somebody else is inside.
        mkdirSync(home + '/inside');
        await new Promise((resolve) => setImmediate(resolve));
        rmdirSync(home + '/inside');
        if (round < Number(rounds)) turn.lock.leave();
      }
      process.exit(0);`;
    mkdirSync(join(home.path, 'versions'));
    const codes = await Promise.all(
      [5, 1, 5, 1, 5, 1, 5, 1].map(async (rounds) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program, home.path, String(rounds)], {
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        return ((await once(child, 'exit')) as [number])[0];
      }),
    );
    assert.deepEqual(
      codes,
      codes.map(() => 0),
    );
  });
});
