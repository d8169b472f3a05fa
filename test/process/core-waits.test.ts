/** A worker that waited for a core is told from one that had little to do: real processes, pinned to one core. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { CoreWaits } from '../../src/health/core-waits.ts';
import { readRunning, type Running } from '../../src/os/index.ts';
import { eventually } from '../support/eventually.ts';

/** Three milliseconds of work in ten: twenty looks hardly ever find it idle each time. */
const MODEST = `
  setInterval(() => { const end = performance.now() + 3; while (performance.now() < end); }, 10);
  process.stdout.write('works');`;
const SPINS = 'process.stdout.write("spins"); for (;;);';

const LOOKS = 20;
const LOOK_EVERY_MS = 150;
const FREE_BELOW = 0.2;

async function start(program: string): Promise<ChildProcess> {
  const pinned = ['-c', '0', process.execPath, '-e', program];
  const child = spawn('taskset', pinned, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

interface Look {
  readonly isStarved: boolean;
  /** Share of the time since the look before that it was ready to run, and did not. */
  readonly waited: number;
}

async function look(pid: number): Promise<readonly Look[]> {
  let waitedMs = 0;
  const waits = new CoreWaits((of) => {
    const running = readRunning(of);
    waitedMs = running?.waitedMs ?? 0;
    return running;
  });
  const looks: Look[] = [];
  let at = performance.now();
  waits.isStarved(pid, at);
  for (let count = 0; count < LOOKS; count++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const before = { at, waitedMs };
    at = performance.now();
    const isStarved = waits.isStarved(pid, at);
    looks.push({ isStarved, waited: (waitedMs - before.waitedMs) / (at - before.at) });
  }
  return looks;
}

describe('a worker that others are compared with', { skip: process.platform !== 'linux' }, () => {
  it('is starved while others have its core, and not for being at work at the moment of a look', async () => {
    const modest = await start(MODEST);
    const children = [modest];
    const pid = modest.pid ?? 0;
    try {
      // Others on this machine may have the core now and then: then it is starved indeed.
      const free: Look[] = [];
      await eventually(
        'it had the core when it wanted it',
        async () => {
          free.push(...(await look(pid)).filter(({ waited }) => waited < FREE_BELOW));
          return free.length >= LOOKS;
        },
        { withinMs: 45_000 },
      );
      assert.deepEqual(
        free.filter(({ isStarved }) => isStarved),
        [],
      );
      const spinning = await start(SPINS);
      children.push(spinning);
      spawnSync('chrt', ['--fifo', '--pid', '1', String(spinning.pid)]);
      const held = await look(pid);
      const starved = held.filter(({ isStarved }) => isStarved);
      assert.ok(starved.length > LOOKS / 2, JSON.stringify(held));
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('is starved when it had no turn at all, though no wait of it is over', () => {
    const now: Running = { isRunnable: true, ranMs: 10, waitedMs: 5, turns: 3 };
    const waits = new CoreWaits(() => now);
    assert.equal(waits.isStarved(1, 0), false, 'nothing is known of before');
    assert.equal(waits.isStarved(1, 2000), true);
    const sleeping = new CoreWaits(() => ({ ...now, isRunnable: false }));
    assert.deepEqual([sleeping.isStarved(1, 0), sleeping.isStarved(1, 2000)], [false, false]);
  });
});
