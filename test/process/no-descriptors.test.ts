/** A daemon that can open nothing for a moment: no look at /proc, no process. What ends meanwhile is heard of all the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import {
  change,
  openPlace,
  pidsOf,
  readApp,
  readyWorkers,
  type Settings,
  startApp,
  untilApp,
} from '../support/service.ts';

/** A program without an agent. */
const program = (before = ''): Settings => ({
  command: ['sh', '-c', `${before} while :; do sleep 1; done`],
  instances: 1,
});

/** Standard input, output and error, which a daemon always has. */
const NONE_FREE = 3;

/** Ends the process while the daemon can open nothing, and returns when the daemon has taken note of that. */
const endUnseen = async (drover: Drover, pid: number): Promise<void> => {
  const { pid: daemon } = await drover.daemon();
  const about = [`--pid=${daemon}`, '--nofile'];
  const soft = execFileSync('prlimit', [...about, '--raw', '--noheadings', '--output=SOFT'], { encoding: 'utf8' });
  execFileSync('prlimit', [`--pid=${daemon}`, `--nofile=${NONE_FREE}:`]);
  try {
    process.kill(pid, 'SIGKILL');
    await eventually('the daemon has waited for it', () => !existsSync(`/proc/${pid}`));
  } finally {
    execFileSync('prlimit', [`--pid=${daemon}`, `--nofile=${soft.trim()}:`]);
  }
};

describe('a program that ends while its daemon can open nothing', () => {
  it('is started again', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', program());
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    await endUnseen(drover, pid);
    await untilApp(drover, 'shop', 'runs again', (app) => {
      const [worker] = readyWorkers(app);
      return worker !== undefined && worker.pid !== pid;
    });
  });

  it('has been stopped, where that was what it was to be', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', program('trap "" TERM;'));
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    const stopping = change(drover, ['stop', 'shop']);
    await untilApp(drover, 'shop', 'is being stopped', ({ workers }) => workers[0]?.status === 'draining');
    await endUnseen(drover, pid);
    assert.equal((await stopping).receipt.outcome, 'completed');
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), []);
  });
});
