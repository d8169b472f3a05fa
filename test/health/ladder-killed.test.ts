/**
 * The daemon is killed in the middle of a replacement that the ladder has begun, once at each step that changes something: the app is
 * whole afterwards, and what the ladder may do within an hour is not given to it twice.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Illness, illService, untilHealth } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import { listProcesses, readEnvironment } from '../support/processes.ts';
import { openPlace, pidsOf, readApp, readEvents, startApp, untilApp } from '../support/service.ts';

const STEPS = ['process-announced', 'process-started', 'traffic-attached', 'role-noted', 'worker-removed'] as const;
const BUDGETS = { rssMB: { max: 160, critical: true }, interval: '1s' };

/** All processes of workers of the app, known to the daemon or not. */
const workersOf = (home: string): number[] =>
  listProcesses()
    .filter((pid) => {
      const environment = readEnvironment(pid);
      return environment.includes('DROVER_APP=shop\0') && environment.includes(home);
    })
    .toSorted((a, b) => a - b);

describe('a daemon that is killed while its ladder replaces a worker', { concurrency: true, timeout: 180_000 }, () => {
  for (const step of STEPS) {
    it(`leaves an app that is whole, and a ladder that remembers: at ${step}`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const wish = join(drover.home, 'die-at');
      const illness = new Illness(drover);
      const settings = illService(port, illness, { budgets: BUDGETS, heal: { perHour: 1 } });
      await startApp(drover, 'shop', settings, { env: { DROVER_DIE_AT: wish } });
      const first = await readApp(drover, 'shop');
      const { pid: firstDaemon } = await drover.daemon();
      const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 });
      await load.untilAnswered(20);
      // From here on whatever starts a process in the app is the ladder.
      writeFileSync(wish, `shop ${step}`);
      illness.tellOnce(0, 'hungry 150');
      await eventually('the daemon has died where it was to', () => !existsSync(wish), { withinMs: 60_000 });
      await untilApp(
        drover,
        'shop',
        'is whole under the next daemon',
        ({ status, workers }) =>
          status === 'online' &&
          workers.length === 2 &&
          workers.every(({ ready, pid }) => ready && pid !== null && pid !== first.workers[0]?.pid),
        { withinMs: 60_000 },
      );
      assert.notEqual((await drover.daemon()).pid, firstDaemon);
      const after = await eventually('nobody else is left', async () => {
        const app = await readApp(drover, 'shop');
        const pids = pidsOf(app);
        return pids.length === 2 && workersOf(drover.home).join() === pids.join() && app;
      });
      assert.equal(after.workers[1]?.pid, first.workers[1]?.pid, 'the other one was left alone');
      assert.equal((await readEvents(drover, 'shop', 'worker-recovering')).length, 1);

      // The one of this hour has been had.
      illness.tellOnce(1, 'hungry 150');
      const [held] = await eventually(
        'the ladder is held back by the limit per hour',
        async () => {
          const told = await readEvents(drover, 'shop', 'heal-held-back');
          return told.length > 0 && told;
        },
        { withinMs: 60_000 },
      );
      assert.match(held?.reason ?? '', /1 workers were replaced within the hour/);
      await untilHealth(drover, 'shop', 'has it as it is', ({ status }) => status !== 'healthy');
      assert.deepEqual(pidsOf(await readApp(drover, 'shop')), pidsOf(after));
      const report = await load.stop();
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    });
  }
});
