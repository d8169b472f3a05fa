/**
 * `drover/testing` in the runners that people have, as it ships (`npm run build`): a function that leaks fails its test with the
 * holder, its place and the remedy; one that does not passes, async and under fake timers too.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const RUNNERS = join(import.meta.dirname, 'runners');

/** The runners' own, so that what is left in it is theirs. */
let temporary: TemporaryFolder;

/** Ends with what the runner printed, on both streams, and its exit code. */
const run = (...args: string[]): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve) => {
    // The outer runner tells its children to report in its own format.
    const { NODE_TEST_CONTEXT: _outer, NODE_OPTIONS: _options, ...env } = process.env;
    execFile(
      process.execPath,
      args,
      { cwd: RUNNERS, env: { ...env, TMPDIR: temporary.path, NO_COLOR: '1', FORCE_COLOR: '0' } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });

/** `least`: percent of all growth that the leak has to be. */
function assertLeakIsTold(output: string, place: string, least = 100): void {
  const told = output.split('\n').find((line) => line.includes('of all growth')) ?? output;
  const holder = told.match(/(\d+) % of all growth is held by the Map `sessions` at (\S+) \(module variable\)/);
  assert.equal(holder?.[2], place, told);
  assert.ok(Number(holder[1]) >= least, told);
  assert.match(output, /pattern +collection/);
  assert.match(output, /remedy +Give `sessions` a bound/);
}

const listLeft = (): string[] => readdirSync(temporary.path).filter((name) => name.includes('leak-check'));

describe('expectNoLeak', { concurrency: false }, () => {
  before(async () => {
    temporary = await temporaryFolder('runners');
    const link = join(RUNNERS, 'node_modules', 'drover');
    // Left by a run in another place, it would lead there.
    rmSync(link, { force: true });
    // vitest remembers where it led.
    rmSync(join(RUNNERS, 'node_modules', '.vitest-cache'), { recursive: true, force: true });
    symlinkSync(join(import.meta.dirname, '..', '..'), link);
  });

  after(async () => temporary?.[Symbol.asyncDispose]());

  it('works in node:test', async () => {
    const { code, output } = await run('--test', '--test-reporter=tap', 'node/leak-check.test.mjs');
    assert.equal(code, 1);
    assertLeakIsTold(output, 'sessions.cjs:2');
    assert.match(output, /not ok 1 - a leaking function/);
    assert.match(output, /\nok 2 - a healthy async function/);
    assert.match(output, /\nok 3 - with fake timers/);
  });

  it('works in jest, required', async () => {
    const { code, output } = await run('node_modules/jest/bin/jest.js', '--config', 'jest.config.cjs', '--verbose');
    assert.equal(code, 1);
    // One test file runs in the process of jest's reporter, which prints every second and keeps what it printed (`{clear, content}`).
    assertLeakIsTold(output, 'sessions.cjs:2', 95);
    assert.match(output, /Tests: +1 failed, 2 passed/);
    assert.match(output, /✕ a leaking function/);
  });

  it('works in vitest, in processes and in threads', async () => {
    for (const pool of ['forks', 'threads']) {
      const { code, output } = await run('node_modules/vitest/vitest.mjs', 'run', '--dir', 'vitest', '--pool', pool);
      assert.equal(code, 1);
      // vitest wraps a module in a block, whose variables V8 names in no snapshot; and what runs has lost its types and its lines.
      assertLeakIsTold(output, 'vitest/sessions.ts:8');
      assert.match(output, /\(100 → 200 → 300\), held by/);
      assert.match(output, /Tests +1 failed \| 2 passed/);
      assert.match(output, /FAIL .*a leaking function/);
    }
  });

  it('leaves no snapshot behind', () => {
    assert.deepEqual(listLeft(), []);
  });
});
