/** Probes under the daemon: what they hold back, what they take off rotation, and what they have replaced. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Illness, illService, readHealth, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import {
  ask,
  change,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  readWhy,
  startApp,
  untilApp,
  writeConfig,
} from '../support/service.ts';

const QUICK = { period: '200ms', timeout: '1s' };

describe('a startup probe', () => {
  it('holds back what has not started, and says so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    illness.tell('all', 'unstarted');
    const probes = { startup: { http: '/started', ...QUICK, failureThreshold: 100 } };
    const file = writeConfig(drover, { shop: illService(port, illness, { probes }) });
    const start = drover.run(['start', file]);
    const waiting = await untilApp(drover, 'shop', 'waits for its probe', ({ workers }) =>
      workers.every(({ reason }) => reason?.includes('startup probe (') === true),
    );
    assert.deepEqual(readyWorkers(waiting), []);
    assert.match(waiting.workers[0]?.reason ?? '', /503/, 'and what the probe was told');
    assert.ok(workerOf(await readHealth(drover, 'shop'), 0).status !== 'healthy');
    illness.heal('all');
    assert.equal((await start).code, 0);
    assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 2);
    assert.equal((await ask(port)).status, 200);
  });

  it('that fails ends the start', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    illness.tell('all', 'unstarted');
    const probes = { startup: { http: '/started', ...QUICK, failureThreshold: 2 } };
    const file = writeConfig(drover, {
      shop: illService(port, illness, { probes, instances: 1, ready: { timeout: '2s' } }),
    });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.equal(receipt.outcome, 'failed');
    assert.match(receipt.reason ?? '', /startup probe/);
    assert.notEqual(await refusalAt(port), null, 'nobody serves');
  });
});

describe('a readiness probe', () => {
  it('takes a worker off rotation and back again, and nothing is replaced', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    const probes = { readiness: { http: '/ready', ...QUICK } };
    await startApp(drover, 'shop', illService(port, illness, { probes }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'kept', port, connections: 6, pauseMs: [10, 30] });
    await load.untilAnswered(50);
    illness.tell(1, 'unready');
    const during = await untilHealth(
      drover,
      'shop',
      'has it off rotation',
      (health) => workerOf(health, 1).weight === 0,
    );
    assert.equal(workerOf(during, 1).status, 'degraded');
    assert.match(workerOf(during, 1).reason ?? '', /readiness probe fails.*503/);
    assert.equal(during.status, 'degraded');
    await load.untilAnswered(50);
    const others = await startLoad({ mode: 'new', port, connections: 2, maxRequests: 40 });
    assert.deepEqual(Object.keys((await others.report).connections.byWorker), ['0']);
    illness.heal(1);
    await untilHealth(drover, 'shop', 'has it back', (health) => workerOf(health, 1).weight > 0);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
    const events = await readEvents(drover, 'shop');
    const told = events.filter(({ type }) => type.startsWith('probe-')).map(({ type, worker }) => `${type} ${worker}`);
    assert.deepEqual(told, ['probe-failed shop/1', 'probe-passed shop/1']);
  });

  it('that fails everywhere takes nobody off rotation', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(
      drover,
      'shop',
      illService(port, illness, { probes: { readiness: { http: '/ready', ...QUICK, failureThreshold: 2 } } }),
    );
    illness.tell('all', 'unready');
    const during = await untilHealth(drover, 'shop', 'has failing probes', ({ workers }) =>
      workers.every(({ checks }) => checks.some(({ name, status }) => name === 'readiness' && status === 'fail')),
    );
    assert.ok(during.workers.every(({ weight }) => weight > 0));
    assert.equal((await ask(port)).status, 200);
  });

  it('of the new worker is waited for by a reload, which fails without it and leaves the old ones', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    const probes = { readiness: { http: '/ready', ...QUICK } };
    await startApp(drover, 'shop', illService(port, illness, { probes, ready: { timeout: '3s' } }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [10, 30] });
    await load.untilAnswered(20);
    illness.tellOnce(0, 'unready');
    illness.tellOnce(1, 'unready');
    // The old ones have taken it: they are off rotation for it, or both stay. Their successors are well.
    const first = await change(drover, ['reload', 'shop']);
    assert.equal(first.receipt.outcome, 'completed');
    const after = pidsOf(await readApp(drover, 'shop'));
    assert.deepEqual(
      after.filter((pid) => before.includes(pid)),
      [],
    );
    illness.tell('all', 'unready');
    await untilHealth(drover, 'shop', 'has failing probes', ({ workers }) =>
      workers.every(({ checks }) => checks.some(({ name, status }) => name === 'readiness' && status === 'fail')),
    );
    const second = await change(drover, ['reload', 'shop']);
    assert.equal(second.receipt.outcome, 'failed', JSON.stringify(second.receipt));
    assert.match(second.receipt.reason ?? '', /readiness probe/);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), after, 'the old ones serve on');
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
  });
});

describe('a probe by a command', () => {
  it('runs in the surroundings of its worker', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    const probes = { readiness: { exec: ['sh', '-c', 'test ! -e "$TOLD/off.$DROVER_SLOT"'], ...QUICK } };
    await startApp(drover, 'shop', illService(port, illness, { probes }));
    writeFileSync(join(illness.folder, 'off.0'), '');
    const during = await untilHealth(drover, 'shop', 'has it off', (health) => workerOf(health, 0).weight === 0);
    assert.ok(workerOf(during, 1).weight > 0);
    assert.equal(workerOf(during, 1).status, 'healthy');
    rmSync(join(illness.folder, 'off.0'));
    await untilHealth(drover, 'shop', 'has it back', ({ status }) => status === 'healthy');
  });
});

describe('probes that are applied to a running app', () => {
  it('are asked at once, are taken away again, and replace nobody', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness));
    const before = pidsOf(await readApp(drover, 'shop'));
    const applied = async (more: object): Promise<void> => {
      const file = writeConfig(drover, { shop: illService(port, illness, { ...more }) }, 'shop');
      const { code, receipt } = await change(drover, ['apply', file]);
      assert.equal(code, 0, JSON.stringify(receipt));
    };
    const readiness = { http: '/ready', ...QUICK, failureThreshold: 1 };
    await applied({
      probes: { readiness },
      budgets: { rssMB: { max: 1 }, interval: '1s' },
      health: { blockedAfter: '200ms' },
    });
    const passing = await untilHealth(drover, 'shop', 'is asked', ({ workers }) =>
      workers.every(({ checks }) => checks.some(({ name, status }) => name === 'readiness' && status === 'pass')),
    );
    assert.ok(passing.workers.every(({ weight }) => weight > 0));
    illness.tell(0, 'unready');
    await untilHealth(drover, 'shop', 'has it off', (health) => workerOf(health, 0).weight === 0);
    await untilHealth(drover, 'shop', 'is over its budget', (health) =>
      workerOf(health, 1).checks.some(({ name, status }) => name === 'rssMB' && status === 'fail'),
    );
    // Other thresholds of the same probe: a verdict that stands is not forgotten.
    await applied({ probes: { readiness: { ...readiness, failureThreshold: 2 } } });
    await untilHealth(drover, 'shop', 'has no budget', ({ workers }) =>
      workers.every(({ checks }) => checks.every(({ name }) => name === 'readiness')),
    );
    await untilHealth(drover, 'shop', 'has it off still', (health) => workerOf(health, 0).weight === 0);
    await applied({});
    await untilHealth(drover, 'shop', 'is asked nothing', ({ status, workers }) => {
      return status === 'healthy' && workers.every(({ checks, weight }) => checks.length === 0 && weight > 0);
    });
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
  });

  it('tell of an answer that counts as good and leads elsewhere, once, where people look', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const probes = { readiness: { http: '/away', period: '100ms' } };
    await startApp(drover, 'shop', illService(port, new Illness(drover), { probes, instances: 1 }));
    const words = /it redirects to http:\/\/login\.example\/away, which is not this worker/;
    const health = await untilHealth(drover, 'shop', 'is asked', ({ workers }) =>
      workers.every(({ checks }) => checks.some(({ status }) => status === 'pass')),
    );
    assert.equal(health.status, 'healthy');
    assert.match(workerOf(health, 0).checks[0]?.warning ?? '', words);
    assert.match((await drover.run(['health'])).stdout, words);
    assert.ok((await readWhy(drover, 'shop')).chain.some(({ event }) => words.test(event)));
    const told = await readEvents(drover, 'shop', 'probe-warned');
    assert.deepEqual(
      told.map(({ worker, data }) => [worker, data['probe']]),
      [['shop/0', 'readiness']],
    );
  });
});
