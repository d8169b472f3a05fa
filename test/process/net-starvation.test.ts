/** A worker that waits for a core is told from one that is blocked: real processes, pinned to one core. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Starvation } from '../../src/net/starvation.ts';
import { readRunning } from '../../src/os/index.ts';
import type { ShardHolder } from '../../src/protocol/index.ts';
import { idleHolder } from './net-support.ts';

const SPIN = 'process.stdout.write("spins"); for (;;);';
const SLEEP = 'process.stdout.write("sleeps"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

async function start(program: string, niceness: number): Promise<ChildProcess> {
  const pinned = ['-c', '0', 'nice', '-n', String(niceness), process.execPath, '-e', program];
  const child = spawn('taskset', pinned, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const holderOf = (child: ChildProcess): ShardHolder => ({ ...idleHolder(0), pid: child.pid ?? 0 });

describe('a worker that does not take from its queue', { skip: process.platform !== 'linux' }, () => {
  it('is starved when others have its core, and not when it has it, or sleeps', async () => {
    const children = [await start(SLEEP, 0), await start(SPIN, 0), await start(SPIN, 19)];
    try {
      const [sleeping, spinning, waiting] = children.map(holderOf);
      const starvation = new Starvation({ readRunning });
      const seen = new Map<ShardHolder | undefined, boolean[]>();
      for (let look = 0; look < 50; look++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        for (const holder of [sleeping, spinning, waiting]) {
          if (holder === undefined) continue;
          const isStarved = starvation.isStarved(holder, performance.now());
          seen.set(holder, [...(seen.get(holder) ?? []), isStarved]);
        }
      }
      const starved = (holder: ShardHolder | undefined): number => (seen.get(holder) ?? []).filter(Boolean).length;
      assert.equal(starved(sleeping), 0, 'who sleeps has nothing to wait for');
      // The one that is preferred gets nearly all of the core, the other one nearly nothing.
      assert.ok(starved(waiting) > 25, `${starved(waiting)} of 50 looks`);
      assert.ok(starved(spinning) < starved(waiting) / 2, `${starved(spinning)} of 50 looks`);
      assert.equal(starvation.isStarved({ ...idleHolder(1), pid: null }, performance.now()), false);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
});
