/** What `expectNoLeak` refuses, and how it ends: options, concurrency, time, signals, errors of the function. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import type { HeapVerdict } from '../../src/heap/index.ts';
import { expectNoLeak, type LeakCheck, type LeakCheckOptions, LeakFound } from '../../src/testing/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const nothing = (): void => undefined;
const QUICK = { iterations: 3, warmUp: 0 } as const;

it('names the option that is impossible', async () => {
  const bad: [LeakCheckOptions, RegExp][] = [
    [{ iterations: 0 }, /iterations is a whole number from 1/],
    [{ iterations: 2.5 }, /iterations .* not 2\.5/],
    [{ warmUp: -1 }, /warmUp/],
    [{ timeoutMs: Number.NaN }, /timeoutMs/],
    [{ maxGrowthBytes: Number.POSITIVE_INFINITY }, /maxGrowthBytes/],
  ];
  for (const [options, message] of bad)
    await assert.rejects(expectNoLeak(nothing, options), { name: 'RangeError', message });
  await assert.rejects(expectNoLeak('no function' as never), TypeError);
});

it('refuses a second check while one is running, and allows it after', async () => {
  let isCalled = false;
  const first = expectNoLeak(() => (isCalled = true), QUICK);
  await assert.rejects(expectNoLeak(nothing, QUICK), /another check is running here/);
  await first;
  assert.ok(isCalled);
  await expectNoLeak(nothing, QUICK);
});

it('ends when its time is over, even when a call never settles', async () => {
  await assert.rejects(
    expectNoLeak(() => new Promise(nothing), { timeoutMs: 20 }),
    /not done after 20 ms \(timeoutMs\)/,
  );
});

it('ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const ended = expectNoLeak(() => stop.abort(reason), { signal: stop.signal });
  await assert.rejects(ended, (error) => error === reason);
});

it('throws on what the function throws', async () => {
  const error = new Error('no cart');
  await assert.rejects(
    expectNoLeak(() => Promise.reject(error)),
    (thrown) => thrown === error,
  );
});

it('keeps the snapshots where it is told to, and names them', async () => {
  await using folder = await temporaryFolder('kept-snapshots');
  const kept: object[] = [];
  const failed = await expectNoLeak(() => kept.push({ at: kept.length }), { keepSnapshotsIn: folder.path }).then(
    () => assert.fail('nothing was found'),
    (error: unknown) => error,
  );
  assert.ok(failed instanceof LeakFound);
  assert.equal(failed.verdict.verdict, 'leak');
  assert.deepEqual(Object.keys(failed), ['name']);
  const files = readdirSync(folder.path);
  assert.equal(files.length, 3);
  for (const file of files) assert.ok(failed.message.includes(file), failed.message);
});

it('names snapshots so that the command can be pasted, whatever the folder is called', () => {
  const verdict = { headline: 'Leak', verdict: 'leak', reasons: [], suspects: [] } as unknown as HeapVerdict;
  const { message } = new LeakFound(verdict, ['a.heapsnapshot', "it's mine/b.heapsnapshot"], () => undefined);
  assert.ok(message.endsWith(String.raw`drover heap diff a.heapsnapshot 'it'\''s mine/b.heapsnapshot'`), message);
});

it('accepts as much growth as it is told to', async () => {
  const kept: object[] = [];
  const { verdict, usedBytes }: LeakCheck = await expectNoLeak(() => kept.push({ at: kept.length }), {
    maxGrowthBytes: 1_000_000,
  });
  assert.equal(verdict.verdict, 'leak');
  assert.equal(usedBytes.length, 3);
});

it('removes snapshots that a killed process has left behind, and not those of one that runs', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [left, running, young] = [dead, process.pid, dead].map((pid) =>
    mkdtempSync(join(tmpdir(), `drover-leak-check-${pid}-`)),
  ) as [string, string, string];
  for (const folder of [left, running]) utimesSync(folder, 0, 0);
  try {
    await expectNoLeak(nothing, QUICK);
    assert.deepEqual([left, running, young].map(existsSync), [false, true, true]);
  } finally {
    for (const folder of [running, young]) rmSync(folder, { recursive: true });
  }
});

it('leaves no snapshot behind when the test ends its process', () => {
  const module = join(import.meta.dirname, '../../src/testing/index.ts');
  const code = `import { expectNoLeak } from ${JSON.stringify(module)};
    let calls = 0;
    await expectNoLeak(() => { if (++calls > 5) process.exit(7); }, { iterations: 3, warmUp: 2 });`;
  const { status, pid } = spawnSync(process.execPath, ['--input-type=module', '-e', code]);
  assert.equal(status, 7);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(`drover-leak-check-${pid}-`)),
    [],
  );
});
