/** A worker whose event loop is blocked: health says so while it lasts, traffic avoids it, and what blocked it is named. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Illness, illService, readHealth, untilHealth, workerOf } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import type { Drover } from '../support/drover.ts';
import { fixture, openPlace, readEvents, startApp, untilApp } from '../support/service.ts';

const SOURCE = readFileSync(fixture('ill-when-told.cjs'), 'utf8').split('\n');
const lineOf = (name: string): number => SOURCE.findIndex((line) => line.endsWith(`// here: ${name}`)) + 1;

const BLOCK_MS = 4000;
/** Time enough for clients to come and be answered meanwhile, also beside other tests on two cores. */
const LONG_BLOCK_MS = 2 * BLOCK_MS;
/** The line that a sampling profile names may be one of the loop around it. */
const LINES_AROUND = 2;

const WAYS = [
  { way: 'spins', what: 'a busy loop', named: 'spinsRound' },
  { way: 'matches', what: 'a catastrophic regular expression', named: 'matchesForLong' },
  { way: 'waits', what: 'execSync', named: 'waitsForShell' },
];

/** The rolling profile is begun a second after the start: no block of a worker that has just come up is named. */
const untilProfiled = async (drover: Drover): Promise<unknown> =>
  untilApp(drover, 'shop', 'has been up for a while', ({ workers }) =>
    workers.every(({ startedAt }) => Date.now() - Date.parse(startedAt ?? '') > 3000),
  );

const assertNames = (reason: string | null, named: string, way: string): void => {
  assert.match(reason ?? '', new RegExp(`\\b${named}\\b`), 'the function is named');
  const line = Number(/ill-when-told\.cjs:(\d+)/.exec(reason ?? '')?.[1]);
  assert.ok(Math.abs(line - lineOf(way)) <= LINES_AROUND, `line ${lineOf(way)} and not ${reason}`);
};

describe('a worker whose event loop is blocked', () => {
  for (const { way, what, named } of WAYS) {
    it(`by ${what} is told as blocked meanwhile, gets no new connection, and is named afterwards`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const illness = new Illness(drover);
      await startApp(drover, 'shop', illService(port, illness));
      const load = await startLoad({ mode: 'new', port, connections: 4, pauseMs: [10, 30] });
      await load.untilAnswered(50);
      await untilProfiled(drover);
      const before = await readHealth(drover, 'shop');
      assert.deepEqual(
        before.workers.map(({ weight }) => weight > 0),
        [true, true],
      );

      illness.tell(1, `${way} ${LONG_BLOCK_MS}`);
      const during = await untilHealth(
        drover,
        'shop',
        'has a blocked worker',
        (health) => workerOf(health, 1).eventLoop.isBlocked,
      );
      assert.equal(workerOf(during, 1).status, 'critical');
      assert.match(workerOf(during, 1).reason ?? '', /blocked/);
      assert.equal(workerOf(during, 1).weight, 0, 'traffic avoids it');
      assert.ok(workerOf(during, 0).weight > 0);
      assert.equal(workerOf(during, 0).status, 'healthy');
      assert.equal(during.status, 'degraded', 'the app still serves');
      // Whoever connects now is answered while the block lasts.
      const sinceWeight = await startLoad({ mode: 'new', port, connections: 4, pauseMs: [10, 30], timeoutMs: 2000 });
      await sinceWeight.untilAnswered(20);
      assert.ok(workerOf(await readHealth(drover, 'shop'), 1).eventLoop.isBlocked, 'all of them during the block');
      const others = await sinceWeight.stop();
      assert.equal(others.lost, 0, JSON.stringify(others.lostByReason));
      assert.deepEqual(Object.keys(others.connections.byWorker), ['0']);

      const after = await untilHealth(drover, 'shop', 'has its worker back', (health) => {
        const worker = workerOf(health, 1);
        return !worker.eventLoop.isBlocked && worker.weight > 0 && worker.status === 'healthy';
      });
      assert.ok((workerOf(after, 1).eventLoop.blockedMs ?? 0) >= LONG_BLOCK_MS / 2, 'how long the last block was');
      const report = await load.stop();
      // Connections that lay in its queue when it began to block are answered late, and none is lost.
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
      const blocked = await readEvents(drover, 'shop', 'worker-blocked');
      assert.deepEqual(
        blocked.map(({ worker }) => worker),
        ['shop/1'],
        'nobody else was accused',
      );
      const [unblocked] = await readEvents(drover, 'shop', 'worker-unblocked');
      assertNames(unblocked?.reason ?? null, named, way);
      assert.match(workerOf(await readHealth(drover, 'shop'), 1).eventLoop.blockedAt ?? '', new RegExp(named));
      assert.deepEqual(await readEvents(drover, 'shop', 'worker-hung'), []);
    });
  }

  it('with the watchdog is named while it is blocked', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness, { health: { watchdog: true } }));
    await untilProfiled(drover);
    illness.tell(1, `spins ${BLOCK_MS}`);
    const during = await untilHealth(drover, 'shop', 'names what blocks', (health) => {
      const { isBlocked, blockedAt } = workerOf(health, 1).eventLoop;
      return isBlocked && blockedAt !== undefined;
    });
    assert.match(workerOf(during, 1).eventLoop.blockedAt ?? '', /spinsRound .*ill-when-told\.cjs:\d+/);
    const told = await readEvents(drover, 'shop', 'worker-blocked');
    const naming = told.find(({ reason }) => reason?.includes('spinsRound'));
    assertNames(naming?.reason ?? null, 'spinsRound', 'spins');
  });

  it('that is the only one stays on rotation, and is told as critical', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness, { instances: 1 }));
    const load = await startLoad({ mode: 'new', port, connections: 2, pauseMs: [10, 30] });
    await load.untilAnswered(20);
    illness.tell(0, `spins ${BLOCK_MS / 2}`);
    const during = await untilHealth(drover, 'shop', 'is blocked', (health) => workerOf(health, 0).eventLoop.isBlocked);
    assert.equal(workerOf(during, 0).status, 'critical');
    assert.equal(during.status, 'critical');
    assert.ok(workerOf(during, 0).weight > 0, 'nobody else could answer in its place');
    await untilHealth(drover, 'shop', 'is healthy again', ({ status }) => status === 'healthy');
    await load.untilAnswered(20);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
  });

  it('is told once where all are blocked at once, and all stay on rotation', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await startApp(drover, 'shop', illService(port, illness));
    illness.tell('all', `waits ${BLOCK_MS / 2}`);
    const during = await untilHealth(drover, 'shop', 'has two blocked workers', ({ workers }) =>
      workers.every(({ eventLoop }) => eventLoop.isBlocked),
    );
    assert.equal(during.status, 'critical');
    assert.ok(during.workers.every(({ weight }) => weight > 0));
    await untilHealth(drover, 'shop', 'is healthy again', ({ status }) => status === 'healthy');
    const blocked = await readEvents(drover, 'shop', 'worker-blocked');
    assert.deepEqual(blocked.map(({ worker }) => String(worker)).toSorted(), ['shop/0', 'shop/1']);
    assert.deepEqual(await readEvents(drover, 'shop', 'worker-recovering'), []);
  });
});
