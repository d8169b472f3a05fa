/** A worker that waited for a core is told from one that had little to do: real processes, pinned to one core. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { CoreWaits } from '../../src/health/core-waits.ts';
import { readRunning, type Running } from '../../src/os/index.ts';
import { eventually } from '../support/eventually.ts';

/** A millisecond of work in ten, and a word a second: what a worker of modest traffic is. */
const MODEST = `
  setInterval(() => { const end = performance.now() + 1; while (performance.now() < end); }, 10);
  process.stdout.write('works');`;
const SPINS = 'process.stdout.write("spins"); for (;;);';

const LOOKS = 10;
const LOOK_EVERY_MS = 300;

async function start(program: string): Promise<ChildProcess> {
  const pinned = ['-c', '0', process.execPath, '-e', program];
  const child = spawn('taskset', pinned, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

interface Round {
  readonly starved: number;
  /** Of the time, and of the work that it wanted to do. */
  readonly waited: number;
}

async function look(pid: number): Promise<Round> {
  const waits = new CoreWaits();
  const startedAt = performance.now();
  const before = readRunning(pid);
  let starved = 0;
  waits.isStarved(pid, startedAt);
  for (let count = 0; count < LOOKS; count++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    if (waits.isStarved(pid, performance.now())) starved += 1;
  }
  const waitedMs = (readRunning(pid)?.waitedMs ?? 0) - (before?.waitedMs ?? 0);
  return { starved, waited: waitedMs / (performance.now() - startedAt) };
}

describe('a worker that others are compared with', { skip: process.platform !== 'linux' }, () => {
  it('is starved while others have its core, and not for being at work at the moment of a look', async () => {
    const modest = await start(MODEST);
    const children = [modest];
    const pid = modest.pid ?? 0;
    try {
      // Others on this machine may have had the core: then it was starved indeed.
      const free = await eventually(
        'it had the core when it wanted it',
        async () => {
          const round = await look(pid);
          return round.waited < 0.2 && round;
        },
        { withinMs: 45_000 },
      );
      assert.equal(free.starved, 0);
      const spinning = await start(SPINS);
      children.push(spinning);
      spawnSync('chrt', ['--fifo', '--pid', '1', String(spinning.pid)]);
      const held = await look(pid);
      assert.ok(held.starved > LOOKS / 2, `${held.starved} of ${LOOKS} looks, waited ${held.waited}`);
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
