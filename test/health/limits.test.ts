/**
 * What holds the ladder back, in a real daemon: the limit per hour, `maxUnavailable`, one replacement at a time, and a cause that is outside.
 * A daemon that has just come up does nothing for half a minute, so all apps share one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AppDocument, EventDocument } from '../../src/protocol/index.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { Illness, illService, untilHealth, workerOf } from '../support/health.ts';
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

const WITHIN = { withinMs: 110_000 };
/** Beyond it with the word below, and far from it without. */
const MEMORY = { rssMB: { max: 160, critical: true }, interval: '1s' };
const HUNGRY = 'hungry 150';

const pidIn = ({ workers }: AppDocument, slot: number): number | null =>
  workers.find((worker) => worker.slot === slot)?.pid ?? null;

const isWhole = ({ status, workers }: AppDocument): boolean =>
  status === 'online' && workers.every(({ ready }) => ready);

const untilOthersIn = async (drover: Drover, before: AppDocument, slots: readonly number[]): Promise<AppDocument> =>
  untilApp(
    drover,
    before.name,
    `is whole with other workers in ${slots.join(' and ')}`,
    (app) =>
      isWhole(app) && slots.every((slot) => pidIn(app, slot) !== null && pidIn(app, slot) !== pidIn(before, slot)),
    WITHIN,
  );

const untilHeldBack = async (drover: Drover, app: string, worker: string, why: RegExp): Promise<EventDocument> =>
  eventually(
    `the ladder of ${worker} is held back: ${String(why)}`,
    async () =>
      (await readEvents(drover, app, 'heal-held-back')).find(
        (event) => event.worker === worker && why.test(event.reason ?? ''),
      ),
    WITHIN,
  );

const replacedIn = async (drover: Drover, app: string): Promise<string[]> =>
  (await readEvents(drover, app, 'worker-recovering'))
    .map(({ worker }) => worker ?? '')
    .toSorted((a, b) => a.localeCompare(b));

describe('the limits of the ladder', { concurrency: true, timeout: 180_000 }, () => {
  let place: Place;
  before(async () => {
    place = await openPlace();
    // Whoever is first makes the daemon; it is to be one.
    await startApp(place.drover, 'first', illService(place.port, new Illness(place.drover, 'first'), { instances: 1 }));
  });
  after(async () => place[Symbol.asyncDispose]());

  /** An app of workers that fall ill when they are told to. */
  const open = async (app: string, more: Settings): Promise<{ illness: Illness; port: number; first: AppDocument }> => {
    const { drover } = place;
    const port = await freePort();
    const illness = new Illness(drover, app);
    await startApp(drover, app, illService(port, illness, { instances: 4, budgets: MEMORY, ...more }));
    return { illness, port, first: await readApp(drover, app) };
  };

  it('replaces no more workers within an hour than perHour says, and says so', async () => {
    const { drover } = place;
    const { illness, first } = await open('hourly', { heal: { perHour: 1 } });
    illness.tellOnce(0, HUNGRY);
    await untilOthersIn(drover, first, [0]);
    illness.tellOnce(1, HUNGRY);
    const told = await untilHeldBack(drover, 'hourly', 'hourly/1', /1 workers were replaced within the hour/);
    assert.match(told.reason ?? '', /rssMB is \d+.*its budget 160; nothing is done: .*the limit of the app/);
    assert.deepEqual(await replacedIn(drover, 'hourly'), ['hourly/0']);
    assert.equal(pidIn(await readApp(drover, 'hourly'), 1), pidIn(first, 1), 'it is left as it is');
    const { chain } = await readWhy(drover, 'hourly');
    assert.ok(
      chain.some(({ event }) => /the limit of the app/.test(event)),
      JSON.stringify(chain),
    );
    // Whoever looks after it begins anew.
    const { receipt } = await change(drover, ['reload', 'hourly']);
    assert.equal(receipt.outcome, 'completed');
    await untilHealth(drover, 'hourly', 'is healthy', ({ status }) => status === 'healthy');
  });

  it('sees to one of two that are ill at once, then to the other, and three of four serve all the time', async () => {
    const { drover } = place;
    const { illness, port, first } = await open('careful', {});
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 });
    await load.untilAnswered(20);
    illness.tellOnce(0, HUNGRY);
    illness.tellOnce(1, HUNGRY);
    let fewest = 4;
    await untilApp(
      drover,
      'careful',
      'has had both replaced',
      (app) => {
        fewest = Math.min(fewest, app.workers.filter(({ ready }) => ready).length);
        return isWhole(app) && [0, 1].every((slot) => pidIn(app, slot) !== pidIn(first, slot));
      },
      WITHIN,
    );
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    assert.ok(fewest >= 3, `${fewest} of 4 were ready`);
    const events = await readEvents(drover, 'careful');
    const acts = events.filter(({ type }) => type === 'worker-recovering');
    assert.deepEqual(await replacedIn(drover, 'careful'), ['careful/0', 'careful/1']);
    const between = events.slice(events.indexOf(acts[0]!), events.indexOf(acts[1]!)).map(({ type }) => type);
    assert.ok(between.includes('operation-ended'), `the second was taken after the first: ${between.join(', ')}`);
    assert.match(
      (await readEvents(drover, 'careful', 'heal-held-back'))[0]?.reason ?? '',
      /1 of 4 workers are down or being seen to, and no more than 1 may be/,
    );
  });

  it('replaces one after the other where two may be down, and takes none of it for a failure', async () => {
    const { drover } = place;
    const { illness, first } = await open('bold', { heal: { maxUnavailable: 2 } });
    illness.tellOnce(2, HUNGRY);
    illness.tellOnce(3, HUNGRY);
    await untilOthersIn(drover, first, [2, 3]);
    assert.deepEqual(await replacedIn(drover, 'bold'), ['bold/2', 'bold/3'], 'each was replaced once');
    await untilHealth(drover, 'bold', 'is healthy again', ({ status }) => status === 'healthy');
  });

  it('waits while a worker is down that it has not taken down itself', async () => {
    const { drover } = place;
    const { illness, first } = await open('short', {
      restart: { backoff: { initial: '1s', max: '2s' }, crashLoop: { restarts: 1000 } },
    });
    illness.tell(3, 'exits');
    await untilApp(drover, 'short', 'is one short', (app) => pidIn(app, 3) === null, WITHIN);
    illness.tellOnce(0, HUNGRY);
    await untilHeldBack(drover, 'short', 'short/0', /1 of 4 workers are down or being seen to/);
    assert.equal(pidIn(await readApp(drover, 'short'), 0), pidIn(first, 0));
    illness.heal(3);
    await untilOthersIn(drover, first, [0]);
    assert.deepEqual(await replacedIn(drover, 'short'), ['short/0']);
  });

  it('replaces nobody for what all have, says that the cause is outside, and lets them come back by themselves', async () => {
    const { drover } = place;
    const { illness, first } = await open('outside', {
      instances: 3,
      probes: { liveness: { http: '/live', period: '200ms', timeout: '2s' } },
    });
    illness.tell('all', 'dead');
    await untilHeldBack(
      drover,
      'outside',
      'outside/0',
      /3 of 3 workers have the same, so the cause is outside of them/,
    );
    illness.tell('all', 'well');
    await untilHealth(drover, 'outside', 'is healthy again', ({ status }) => status === 'healthy', WITHIN);
    assert.deepEqual(await replacedIn(drover, 'outside'), []);
    assert.deepEqual(
      (await readApp(drover, 'outside')).workers.map(({ pid }) => pid),
      first.workers.map(({ pid }) => pid),
    );
  });

  it('stops when replacing has not helped in several slots, and says that the cause is outside', async () => {
    const { drover } = place;
    const { illness, first } = await open('helpless', { heal: { quarantineAfter: 2 } });
    // Whoever holds these slots has it.
    illness.tell(0, HUNGRY);
    illness.tell(1, HUNGRY);
    const second = await untilOthersIn(drover, first, [0, 1]);
    for (const slot of [0, 1]) {
      const told = await untilHeldBack(
        drover,
        'helpless',
        `helpless/${slot}`,
        /has not helped 2 times within the hour/,
      );
      assert.match(told.reason ?? '', /so the cause is outside of them/);
      const attempts = told.data['attempts'] as readonly { action: string; outcome: string; hasHelped: boolean }[];
      assert.deepEqual(
        attempts.map(({ action, hasHelped }) => [action, hasHelped]),
        [['replace', false]],
        'what was done, and that it did not help, is kept with it',
      );
      assert.match(attempts[0]?.outcome ?? '', /did not help: rssMB is \d+/);
    }
    const after = await readApp(drover, 'helpless');
    for (const slot of [0, 1]) assert.equal(pidIn(after, slot), pidIn(second, slot), 'replaced once and no more');
    assert.deepEqual(await replacedIn(drover, 'helpless'), ['helpless/0', 'helpless/1']);
    const health = await untilHealth(drover, 'helpless', 'is as it was', ({ workers }) => workers.length === 4);
    assert.deepEqual([workerOf(health, 0).status, workerOf(health, 2).status], ['critical', 'healthy']);
  });
});
