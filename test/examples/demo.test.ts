import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

describe('npm run demo', () => {
  it('loses nothing but what was in flight on the killed worker, in under a minute', () => {
    const demo = join(import.meta.dirname, '..', '..', 'examples', 'demo.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [demo], {
      encoding: 'utf8',
      timeout: 90_000,
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    for (const step of ['a worker is killed', 'reload', 'the daemon is killed']) assert.match(stdout, new RegExp(step));
  });
});
