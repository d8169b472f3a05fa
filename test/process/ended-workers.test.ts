/** Workers that ended for good, as their restart policy has it: no later daemon starts them again, and whoever asks does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endTogether } from '../support/daemon-deaths.ts';
import type { Drover } from '../support/drover.ts';
import {
  ask,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  service,
  startApp,
  untilApp,
} from '../support/service.ts';

const spawnsOf = async (drover: Drover): Promise<number> => (await readEvents(drover, 'shop', 'worker-spawned')).length;

const startDaemon = async (drover: Drover): Promise<void> => {
  const { code, stderr } = await drover.run(['daemon', 'start']);
  assert.equal(code, 0, stderr);
};

describe('a worker that ended for good', () => {
  for (const [policy, code, status, reason] of [
    ['never', 3, 'failed', 'shop/0 exited with code 3'],
    ['on-failure', 0, 'stopped', null],
  ] as const) {
    it(`${policy}, with code ${code}: stays down under the next daemon, and is started when somebody asks`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', service(port, { instances: 1, restart: { policy } }));
      await ask(port, `/exit/${code}`);
      const before = await untilApp(drover, 'shop', `is ${status}`, (app) => app.status === status);
      for (const end of ['killed', 'stopped'] as const) {
        if (end === 'killed') await endTogether(drover, []);
        else assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
        await startDaemon(drover);
        const after = await readApp(drover, 'shop');
        assert.deepEqual([after.status, after.reason], [status, reason], end);
        assert.deepEqual(
          after.workers.map((worker) => [worker.id, worker.status, worker.reason]),
          before.workers.map((worker) => [worker.id, 'exited', worker.reason]),
          end,
        );
        assert.equal(await spawnsOf(drover), 1, end);
      }
      assert.equal((await drover.run(['start', 'shop'])).code, 0);
      await untilApp(drover, 'shop', 'is online', (app) => readyWorkers(app).length === 1);
      assert.deepEqual([(await readApp(drover, 'shop')).workers.length, await spawnsOf(drover)], [1, 2]);
      // What ended before is nobody's any more.
      await endTogether(drover, []);
      await startDaemon(drover);
      assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 1);
    });
  }

  it('is started again by a start of its configuration, without its daemon dying', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = await startApp(drover, 'shop', service(port, { instances: 1, restart: { policy: 'never' } }));
    await ask(port, '/exit/3');
    await untilApp(drover, 'shop', 'has failed', ({ status }) => status === 'failed');
    assert.equal((await drover.run(['start', file])).code, 0);
    assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 1);
  });

  it('may do so while no daemon looks', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, restart: { policy: 'never' } }));
    await endTogether(drover, pidsOf(await readApp(drover, 'shop')));
    await startDaemon(drover);
    const app = await readApp(drover, 'shop');
    assert.deepEqual([app.status, app.workers.map(({ status }) => status)], ['failed', ['exited']]);
    assert.equal(await spawnsOf(drover), 1);
  });
});
