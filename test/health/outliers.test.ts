/** Workers that answer worse than their peers are taken off rotation by their traffic alone, and never too many of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Illness, illService, readHealth, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import { openPlace, pidsOf, readApp, readEvents, startApp } from '../support/service.ts';

const outliers = { interval: '500ms', baseEjection: '5s' };
const PATIENT = { withinMs: 40_000 };

describe('workers that answer worse than their peers', () => {
  it('are off rotation by their traffic alone, and come back when their time is over', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness, { instances: 4, health: { outliers } }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 110 });
    await load.untilAnswered(200);
    illness.tell(1, 'fails');
    illness.tell(2, 'slow');
    const out = await untilHealth(
      drover,
      'shop',
      'has both of them out',
      (health) => workerOf(health, 1).ejectedUntil !== null && workerOf(health, 2).ejectedUntil !== null,
      PATIENT,
    );
    assert.deepEqual(
      out.workers.map(({ weight }) => weight > 0),
      [true, false, false, true],
    );
    illness.heal(1);
    illness.heal(2);
    await untilHealth(
      drover,
      'shop',
      'has them back',
      ({ workers }) => workers.every(({ weight, ejectedUntil }) => weight > 0 && ejectedUntil === null),
      PATIENT,
    );
    await load.stop();
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before, 'nobody was replaced');
    const ejected = await readEvents(drover, 'shop', 'worker-ejected');
    assert.deepEqual([...new Set(ejected.map(({ worker }) => String(worker)))].toSorted(), ['shop/1', 'shop/2']);
  });

  it('all of them, stay on rotation but for as many as may be out', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness, { instances: 4, health: { outliers } }));
    const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 110 });
    await load.untilAnswered(100);
    illness.tell('all', 'fails');
    let most = 0;
    const held = async (): Promise<number> => (await readEvents(drover, 'shop', 'heal-held-back')).length;
    for (let looks = 0; looks < 200 || (looks < 2000 && (await held()) === 0); looks++) {
      const { workers } = await readHealth(drover, 'shop');
      most = Math.max(most, workers.filter(({ ejectedUntil }) => ejectedUntil !== null).length);
    }
    await untilHealth(
      drover,
      'shop',
      'is degraded by what is outside of it',
      ({ status, reason }) => status === 'degraded' && /so the cause is outside of them/.test(reason ?? ''),
    );
    await load.stop();
    assert.ok((await held()) > 0, 'why nothing is done is told');
    assert.ok(most <= 2, `at most half of them are out, and ${most} were`);
    assert.deepEqual(await readEvents(drover, 'shop', 'worker-recovering'), []);
  });
});
