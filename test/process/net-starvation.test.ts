/** A worker that waits for a core is told from one that is blocked: real processes, pinned to one core. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { describe, it } from 'node:test';
import { Starvation } from '../../src/net/starvation.ts';
import { readRunning } from '../../src/os/index.ts';
import type { ShardHolder } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { idleHolder } from './net-support.ts';

const SPIN = 'process.stdout.write("spins"); for (;;);';
const SLEEP = 'process.stdout.write("sleeps"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';
/** In a class above whatever else runs on the machine, where we may: niceness counts within one session only. */
const prefer = (pid: number): void => void spawnSync('chrt', ['--fifo', '--pid', '1', String(pid)]);

async function start(program: string): Promise<ChildProcess> {
  const pinned = ['-c', '0', process.execPath, '-e', program];
  const child = spawn('taskset', pinned, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const LOOKS = 50;
const LOOK_EVERY_MS = 10;
/** Of the core, in a round that counts. */
const MOST_OF_IT = 0.7;
/** Looks that are further apart than this tell nothing, and on a busy machine this process waits for a core as well. */
const STALE_MS = 50;

interface Round {
  /** How many of its looks found each starved. */
  readonly starved: readonly number[];
  /** What each had of the core. */
  readonly shares: readonly number[];
}

/** A round of looks; false where they came too late to tell anything. */
async function look(pids: readonly number[]): Promise<Round | false> {
  const holders = pids.map((pid, slot): ShardHolder => ({ ...idleHolder(slot), pid }));
  const ranMs = (): number[] => pids.map((pid) => readRunning(pid)?.ranMs ?? 0);
  const starvation = new Starvation({ readRunning });
  const starved = holders.map(() => 0);
  const startedAt = performance.now();
  const before = ranMs();
  for (let count = 0, last = startedAt; count < LOOKS; count++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const at = performance.now();
    if (at - last > STALE_MS) return false;
    last = at;
    for (const [index, holder] of holders.entries()) {
      if (starvation.isStarved(holder, at)) starved[index] = (starved[index] ?? 0) + 1;
    }
  }
  const spanMs = performance.now() - startedAt;
  return { starved, shares: ranMs().map((ran, index) => (ran - (before[index] ?? 0)) / spanMs) };
}

describe('a worker that does not take from its queue', { skip: process.platform !== 'linux' }, () => {
  it('is starved when others have its core, and not when it has it, or sleeps', async () => {
    const children = [await start(SLEEP), await start(SPIN), await start(SPIN)];
    try {
      const pids = children.map(({ pid = 0 }) => pid);
      // Only now: whoever is not preferred would take minutes to start.
      setPriority(pids[2] ?? 0, 19);
      prefer(pids[1] ?? 0);
      // Others on this machine may have had the core: then the one that is preferred was starved indeed.
      const { starved } = await eventually(
        'the preferred one had its core',
        async () => {
          const round = await look(pids);
          return round !== false && (round.shares[1] ?? 0) > MOST_OF_IT && round;
        },
        { withinMs: 45_000 },
      );
      const [sleeping = 0, spinning = 0, waiting = 0] = starved;
      assert.equal(sleeping, 0, 'who sleeps has nothing to wait for');
      assert.ok(waiting > LOOKS / 2, `${waiting} of ${LOOKS} looks`);
      assert.ok(spinning < waiting / 2, `${spinning} of ${LOOKS} looks`);
      assert.equal(
        new Starvation({ readRunning }).isStarved({ ...idleHolder(1), pid: null }, performance.now()),
        false,
      );
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
});
