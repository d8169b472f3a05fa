/**
 * The ladder: hook, replacement, quarantine. A daemon that has just come up does nothing for half a minute, so all apps share
 * one, and fall ill beside each other.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Drover } from '../support/drover.ts';
import { Illness, illService, readHealth, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import {
  change,
  openPlace,
  type Place,
  readApp,
  readEvents,
  readWhy,
  type Settings,
  startApp,
  untilApp,
} from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const PATIENT = { withinMs: 90_000 };
const LIVENESS = { liveness: { http: '/live', period: '200ms', timeout: '2s' } };
const rss = (max: number): Settings => ({ rssMB: { max, critical: true }, interval: '1s' });

/** The pid of who holds a slot. */
const pidIn = async (drover: Drover, app: string, slot: number): Promise<number | null> =>
  (await readApp(drover, app)).workers.find((worker) => worker.slot === slot)?.pid ?? null;

const untilReplaced = async (drover: Drover, app: string, slot: number, pid: number | null): Promise<void> =>
  void (await untilApp(
    drover,
    app,
    `has another worker in slot ${slot}`,
    ({ workers, status }) =>
      status === 'online' &&
      workers.every(({ ready }) => ready) &&
      workers.some((worker) => worker.slot === slot && worker.pid !== null && worker.pid !== pid),
    PATIENT,
  ));

const typesOf = async (drover: Drover, app: string, worker: string): Promise<string[]> =>
  (await readEvents(drover, app)).filter((event) => event.worker === worker).map(({ type }) => type);

describe('the ladder', { concurrency: true, timeout: 180_000 }, () => {
  let place: Place;
  before(async () => {
    place = await openPlace();
    // Whoever is first makes the daemon; it is to be one.
    await startApp(place.drover, 'first', illService(place.port, new Illness(place.drover, 'first'), { instances: 1 }));
  });
  after(async () => place[Symbol.asyncDispose]());

  it('replaces a worker whose liveness probe fails, start first, and no request is lost', async () => {
    const { drover } = place;
    const port = await freePort();
    const illness = new Illness(drover, 'dead');
    await startApp(drover, 'dead', illService(port, illness, { probes: LIVENESS }));
    const [ill, well] = [await pidIn(drover, 'dead', 0), await pidIn(drover, 'dead', 1)];
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 });
    await load.untilAnswered(20);
    illness.tellOnce(0, 'dead');
    await untilHealth(drover, 'dead', 'has it off rotation', (health) => workerOf(health, 0).weight === 0);
    await untilReplaced(drover, 'dead', 0, ill);
    await untilHealth(drover, 'dead', 'is healthy again', ({ status }) => status === 'healthy');
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    assert.equal(await pidIn(drover, 'dead', 1), well, 'the other one was left alone');
    const receipts = await readEvents(drover, 'dead', 'worker-recovering');
    assert.equal(receipts.length, 1);
    assert.match(receipts[0]?.reason ?? '', /liveness probe fails.*503.*replaced, start first/);
    const told = await readEvents(drover, 'dead');
    const begun = told.findIndex(({ type }) => type === 'probe-failed');
    const ended = told.findLastIndex(({ type }) => type === 'operation-ended');
    const together = told.slice(begun, ended + 1);
    assert.deepEqual(
      [...new Set(together.map(({ data }) => data['correlation']))],
      [together[0]?.data['correlation']],
      together.map(({ type, data }) => `${type} ${String(data['correlation'])}`).join('\n'),
    );
    assert.match(String(together[0]?.data['correlation']), /^[\da-f]{32}$/);
    const types = await typesOf(drover, 'dead', 'dead/0');
    assert.ok(
      types.lastIndexOf('worker-ready') < types.indexOf('worker-draining'),
      `its successor was ready first: ${types.join(', ')}`,
    );
  });

  it('asks the recover hook first, and leaves a worker that it helps', async () => {
    const { drover } = place;
    const illness = new Illness(drover, 'mended');
    const settings = { budgets: rss(200), env: { RECOVERS: 'yes' }, nodeArgs: ['--expose-gc'] };
    await startApp(drover, 'mended', illService(await freePort(), illness, settings));
    const pid = await pidIn(drover, 'mended', 0);
    illness.tellOnce(0, 'hungry 300');
    const during = await untilHealth(
      drover,
      'mended',
      'is over its budget',
      // Whoever takes so much memory at once is blocked for a moment.
      (health) => /rssMB/.test(workerOf(health, 0).reason ?? ''),
    );
    assert.equal(workerOf(during, 0).status, 'critical');
    assert.match(workerOf(during, 0).reason ?? '', /rssMB is \d+.*its budget 200/);
    await untilHealth(drover, 'mended', 'is healthy again', ({ status }) => status === 'healthy', PATIENT);
    assert.equal(await pidIn(drover, 'mended', 0), pid);
    const told = await readEvents(drover, 'mended', 'worker-recovering');
    assert.deepEqual(
      told.map(({ worker, reason }) => `${worker} ${/hook is asked/.test(reason ?? '')}`),
      ['mended/0 true'],
    );
  });

  it('replaces a worker over a critical budget that its hook does not help, and no request is lost', async () => {
    const { drover } = place;
    const port = await freePort();
    const illness = new Illness(drover, 'hungry');
    await startApp(drover, 'hungry', illService(port, illness, { budgets: rss(200), env: { RECOVERS: 'no' } }));
    const pid = await pidIn(drover, 'hungry', 0);
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 });
    await load.untilAnswered(20);
    illness.tellOnce(0, 'hungry 300');
    await untilReplaced(drover, 'hungry', 0, pid);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    const told = (await readEvents(drover, 'hungry', 'worker-recovering')).map(({ reason }) => reason ?? '');
    assert.equal(told.length, 2, told.join('\n'));
    assert.match(told[0] ?? '', /its recover hook is asked/);
    assert.match(told[1] ?? '', /its recover hook failed.*nothing to free.*replaced, start first/);
  });

  it('replaces nobody for a budget that is not critical, or without autoRestart', async () => {
    const { drover } = place;
    const illness = new Illness(drover, 'fat');
    const budgets = { ...rss(200), heapUsedMB: { max: 1 }, autoRestart: false };
    await startApp(drover, 'fat', illService(await freePort(), illness, { budgets }));
    const pid = await pidIn(drover, 'fat', 0);
    illness.tellOnce(0, 'hungry 300');
    await untilHealth(drover, 'fat', 'is over its budget', (health) => workerOf(health, 0).status === 'critical');
    // By then the ladder has acted for others.
    await untilApp(drover, 'hungry', 'had a worker replaced', ({ workers }) => (workers[0]?.slot ?? 0) === 0, PATIENT);
    while ((await readEvents(drover, 'hungry', 'worker-recovering')).length < 2);
    assert.equal(await pidIn(drover, 'fat', 0), pid);
    assert.deepEqual(await readEvents(drover, 'fat', 'worker-recovering'), []);
  });

  it('leaves alone whom replacing does not help, says so, and begins anew after a reload', async () => {
    const { drover } = place;
    const illness = new Illness(drover, 'hopeless');
    const settings = { instances: 1, probes: LIVENESS, heal: { quarantineAfter: 1 } };
    await startApp(drover, 'hopeless', illService(await freePort(), illness, settings));
    const pid = await pidIn(drover, 'hopeless', 0);
    illness.tell(0, 'dead');
    await untilReplaced(drover, 'hopeless', 0, pid);
    const second = await pidIn(drover, 'hopeless', 0);
    const quarantined = await untilHealth(
      drover,
      'hopeless',
      'is left alone',
      ({ workers }) => workers[0]?.checks.some(({ status }) => status === 'fail') === true,
      PATIENT,
    );
    assert.equal(quarantined.status, 'critical');
    const why = await (async () => {
      while (true) {
        const document = await readWhy(drover, 'hopeless');
        if (document.chain.some(({ event }) => event.includes('worker quarantined'))) return document;
      }
    })();
    assert.match(why.summary, /quarantine/, 'and what holds is in the summary');
    const link = why.chain.find(({ event }) => event.includes('worker quarantined'));
    assert.match(link?.event ?? '', /liveness probe fails.*1 replacements in a row did not help/);
    assert.match(link?.because ?? '', /worker recovering/);
    assert.equal(await pidIn(drover, 'hopeless', 0), second, 'replaced once');
    const [told] = await readEvents(drover, 'hopeless', 'worker-quarantined');
    assert.ok(JSON.stringify(told?.data['evidence']).includes('503'), 'the evidence is kept');

    illness.heal(0);
    const { receipt } = await change(drover, ['reload', 'hopeless']);
    assert.equal(receipt.outcome, 'completed');
    const free = await untilHealth(drover, 'hopeless', 'is healthy', ({ status }) => status === 'healthy');
    assert.equal(free.workers[0]?.reason, null);
  });

  it('replaces a worker that hangs, and its requests go to others', async () => {
    const { drover } = place;
    const port = await freePort();
    const illness = new Illness(drover, 'hung');
    await startApp(drover, 'hung', illService(port, illness, { drain: { timeout: '1s', idleGrace: '200ms' } }));
    const pid = await pidIn(drover, 'hung', 0);
    illness.tellOnce(0, 'waits 600000');
    await untilHealth(drover, 'hung', 'has it off rotation', (health) => workerOf(health, 0).weight === 0);
    const load = await startLoad({ mode: 'new', port, connections: 2, pauseMs: [20, 60], seconds: 170 });
    await untilReplaced(drover, 'hung', 0, pid);
    await untilHealth(drover, 'hung', 'is healthy again', ({ status }) => status === 'healthy', PATIENT);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    const types = await typesOf(drover, 'hung', 'hung/0');
    for (const type of ['worker-blocked', 'worker-hung', 'worker-recovering']) {
      assert.equal(types.filter((one) => one === type).length, 1, `${type} in ${types.join(', ')}`);
    }
    assert.equal((await readHealth(drover, 'hung')).workers.length, 2);
  });
});
