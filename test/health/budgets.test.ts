/**
 * Performance budgets in a real daemon: what is over a critical one is replaced and loses nothing, what is over another is told
 * until it is met again. All apps share one daemon, which heals nobody in its first half minute.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BudgetName } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { Illness, illService, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import { openPlace, type Place, readApp, readEvents, readWhy, startApp, untilApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';
import { isInPath } from '../provisions.ts';

const WITHIN = { withinMs: 100_000 };

interface Case {
  readonly budget: BudgetName;
  readonly max: number;
  readonly word: string;
  readonly reason: RegExp;
}
/** Far from each budget without the word, and far beyond it with it. */
const CASES: readonly Case[] = [
  { budget: 'heapUsedMB', max: 60, word: 'heaps 90', reason: /heapUsedMB is \d+(\.\d)?, its budget 60/ },
  { budget: 'rssMB', max: 160, word: 'hungry 150', reason: /rssMB is \d+(\.\d)?, its budget 160/ },
  { budget: 'eventLoopLagMs', max: 200, word: 'lags', reason: /eventLoopLagMs is \d+(\.\d)?, its budget 200/ },
  { budget: 'cpuPercent', max: 20, word: 'burns', reason: /cpuPercent is \d+(\.\d)?, its budget 20/ },
];
/** A spin of 300 ms, or 150 MB taken at once, is no block, also where the machine is busy. */
const HEALTH = { blockedAfter: '5s' };

describe('budgets', { concurrency: true, timeout: 180_000 }, () => {
  let place: Place;
  before(async () => {
    place = await openPlace();
    // Whoever is first makes the daemon; it is to be one.
    await startApp(place.drover, 'first', illService(place.port, new Illness(place.drover, 'first'), { instances: 1 }));
  });
  after(async () => place[Symbol.asyncDispose]());

  for (const { budget, max, word, reason } of CASES) {
    it(`replaces the worker that is over its critical ${budget}, and no request is lost`, async () => {
      const { drover } = place;
      const app = budget.toLowerCase();
      const port = await freePort();
      const illness = new Illness(drover, app);
      const budgets = { [budget]: { max, critical: true }, interval: '1s' };
      await startApp(drover, app, illService(port, illness, { budgets, health: HEALTH }));
      const first = await readApp(drover, app);
      const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [50, 100], seconds: 170 });
      await load.untilAnswered(20);
      illness.tellOnce(1, word);
      await untilApp(
        drover,
        app,
        'has another worker in slot 1',
        ({ status, workers }) =>
          status === 'online' &&
          workers.every(({ ready }) => ready) &&
          workers.some(({ slot, pid }) => slot === 1 && pid !== null && pid !== first.workers[1]?.pid),
        WITHIN,
      );
      const report = await load.stop();
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
      await untilHealth(drover, app, 'is healthy again', ({ status }) => status === 'healthy');
      const acts = await readEvents(drover, app, 'worker-recovering');
      assert.deepEqual(
        acts.map(({ worker }) => worker),
        [`${app}/1`],
        'the other one was left alone',
      );
      assert.match(acts[0]?.reason ?? '', reason);
      const [exceeded] = await readEvents(drover, app, 'budget-exceeded');
      assert.deepEqual([exceeded?.worker, exceeded?.data['budget']], [`${app}/1`, budget]);
      const evidence = acts[0]?.data['evidence'] as { readonly budgets: readonly { readonly budget: string }[] };
      assert.deepEqual(
        evidence.budgets.map((one) => one.budget),
        [budget],
      );
      const { chain } = await readWhy(drover, app);
      const link = chain.find(({ event }) => event.includes('worker recovering'));
      assert.match(link?.because ?? '', /budget exceeded/, 'why tells what it followed from');
    });
  }

  it('tells of one that is not critical, and that it is met again, and replaces nobody', async () => {
    const { drover } = place;
    const illness = new Illness(drover, 'told-only');
    const budgets = { rssMB: { max: 160 }, interval: '1s' };
    const settings = { budgets, health: HEALTH, env: { RECOVERS: 'yes' }, nodeArgs: ['--expose-gc'] };
    await startApp(drover, 'told-only', illService(await freePort(), illness, settings));
    const first = await readApp(drover, 'told-only');
    illness.tell(0, 'hungry 150');
    const during = await untilHealth(drover, 'told-only', 'is over it', ({ status }) => status === 'degraded', WITHIN);
    assert.match(workerOf(during, 0).reason ?? '', /rssMB is \d+/);
    assert.equal(workerOf(during, 0).weight, workerOf(during, 1).weight, 'it goes on with its share');
    // By then the ladder acts for others.
    await eventually(
      'the ladder has acted for another app',
      async () => (await readEvents(drover, 'rssmb', 'worker-recovering')).length > 0,
      WITHIN,
    );
    illness.tell(0, 'sated');
    await untilHealth(drover, 'told-only', 'is healthy again', ({ status }) => status === 'healthy', WITHIN);
    assert.deepEqual(
      (await readEvents(drover, 'told-only'))
        .filter(({ type }) => type.startsWith('budget-') || type === 'worker-recovering')
        .map(({ type, worker }) => `${type} ${worker}`),
      ['budget-exceeded told-only/0', 'budget-met told-only/0'],
    );
    assert.deepEqual(
      (await readApp(drover, 'told-only')).workers.map(({ pid }) => pid),
      first.workers.map(({ pid }) => pid),
    );
  });

  const noPython = isInPath('python3') ? false : 'python3 is not installed';
  it('of memory and processor time hold for programs without an agent as well', { skip: noPython }, async () => {
    const { drover } = place;
    const word = join(drover.home, 'python-grows');
    // Takes 150 MB, and all that a processor has, as long as the file is there.
    const script = join(drover.home, 'grows.py');
    writeFileSync(
      script,
      [
        'import os, time',
        'held = None',
        'while True:',
        `    held = (held or bytearray(b"x") * 150_000_000) if os.path.exists(${JSON.stringify(word)}) else None`,
        '    if held is None: time.sleep(0.05)',
      ].join('\n'),
    );
    const budgets = { rssMB: { max: 100 }, cpuPercent: { max: 10 }, interval: '1s' };
    await startApp(drover, 'python', { command: ['python3', script], budgets });
    writeFileSync(word, '');
    const told = async (): Promise<readonly string[]> =>
      (await readEvents(drover, 'python'))
        .filter(({ type }) => type.startsWith('budget-'))
        .map(({ type, data }) => `${type} ${String((data as { budget?: unknown }).budget)}`);
    await eventually('both are told', async () => (await told()).length === 2, WITHIN);
    await untilHealth(drover, 'python', 'is degraded', ({ status }) => status === 'degraded', WITHIN);
    rmSync(word);
    await untilHealth(drover, 'python', 'is healthy again', ({ status }) => status === 'healthy', WITHIN);
    assert.deepEqual((await told()).toSorted(), [
      'budget-exceeded cpuPercent',
      'budget-exceeded rssMB',
      'budget-met cpuPercent',
      'budget-met rssMB',
    ]);
  });
});
