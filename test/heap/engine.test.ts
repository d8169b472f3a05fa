/** The process that an analysis runs in: what it answers, and that it ends when it must. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BadFile, EngineFailure, type EngineProgress, runEngine } from '../../src/input/index.ts';
import { eventually } from '../support/eventually.ts';

const entry = new URL('support/obedient-engine.ts', import.meta.url);
const MIB = 1024 * 1024;

const run = async (wish: string, more: { memoryLimitBytes?: number; signal?: AbortSignal } = {}) => {
  const progress: EngineProgress[] = [];
  const result = await runEngine<{ text: string; pid: number }>({
    entry,
    request: { wish },
    memoryLimitBytes: 512 * MIB,
    onProgress: (one) => progress.push(one),
    ...more,
  });
  return { result, progress };
};

const childrenOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);

const isFailure = (kind: string) => (error: unknown) => error instanceof EngineFailure && error.kind === kind;

describe('an engine in a process of its own', { skip: process.platform !== 'linux' && 'looks into /proc' }, () => {
  it('answers, however much, and tells how far it is', async () => {
    const { result, progress } = await run('answer');
    assert.equal(result.text.length, 3_000_000);
    assert.notEqual(result.pid, process.pid);
    assert.deepEqual(progress, [{ phase: 'answer', share: 0.5 }]);
  });

  it('is ended in the middle of a loop when its caller says so', async () => {
    const controller = new AbortController();
    const ending = runEngine({
      entry,
      request: { wish: 'spin' },
      memoryLimitBytes: 512 * MIB,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await assert.rejects(ending, /enough/);
    assert.deepEqual(childrenOf(process.pid), []);
  });

  it('is ended when it takes more memory than it may, whatever kind of memory', async () => {
    await assert.rejects(run('grow-arrays', { memoryLimitBytes: 200 * MIB }), isFailure('memory'));
    await assert.rejects(run('grow-heap', { memoryLimitBytes: 200 * MIB }), isFailure('memory'));
    assert.deepEqual(childrenOf(process.pid), []);
  });

  it('hands on what it threw', async () => {
    await assert.rejects(run('bad-file'), (error) => error instanceof BadFile && error.where === 'byte 7');
    await assert.rejects(run('no-file'), { code: 'ENOENT', path: '/nowhere' });
  });

  it('that ends without an answer is a failure that says how', async () => {
    await assert.rejects(
      run('exit'),
      (error) => isFailure('crashed')(error) && /code 9/.test((error as Error).message),
    );
  });

  it('ends when its caller is killed', async () => {
    const caller = spawn(process.execPath, [join(import.meta.dirname, 'support/engine-caller.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(caller.stdout, 'data');
    const [engine] = childrenOf(caller.pid ?? 0);
    assert.ok(engine !== undefined);
    caller.kill('SIGKILL');
    await once(caller, 'exit');
    await eventually('the engine is gone', () => {
      try {
        process.kill(Number(engine), 0);
        return false;
      } catch {
        return true;
      }
    });
  });
});
