/** The daemon is killed and brought back beside workers that are ill or well: nobody is accused of what the daemon missed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Illness, illService, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import { openPlace, pidsOf, readApp, readEvents, startApp, untilApp } from '../support/service.ts';

describe('a daemon that was killed', () => {
  it('accuses nobody when it is back, and sees what is blocked', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    const probes = { liveness: { http: '/live', period: '300ms' }, readiness: { http: '/ready', period: '300ms' } };
    await startApp(drover, 'shop', illService(port, illness, { probes }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [10, 30] });
    await load.untilAnswered(30);
    const { pid } = await drover.json<{ readonly pid: number }>(['daemon', 'status']);
    process.kill(pid, 'SIGKILL');
    await untilApp(
      drover,
      'shop',
      'is online under the next daemon',
      ({ status, workers }) => status === 'online' && workers.every(({ ready }) => ready),
    );
    const back = await untilHealth(drover, 'shop', 'is asked again', ({ status, workers }) => {
      const arePassing = workers.every(({ checks }) => checks.every((check) => check.status === 'pass'));
      return status === 'healthy' && arePassing && workers.every(({ weight }) => weight > 0);
    });
    assert.equal(back.workers.length, 2);
    illness.tell(1, 'spins 3000');
    await untilHealth(drover, 'shop', 'has a blocked worker', (health) => workerOf(health, 1).eventLoop.isBlocked);
    await untilHealth(drover, 'shop', 'is healthy again', ({ status }) => status === 'healthy');
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before, 'nobody was replaced');
    const accusations = (await readEvents(drover, 'shop')).filter(({ type }) =>
      ['worker-blocked', 'worker-hung', 'worker-recovering'].includes(type),
    );
    assert.deepEqual(
      accusations.map(({ type, worker }) => `${type} ${worker}`),
      ['worker-blocked shop/1'],
    );
  });
});
