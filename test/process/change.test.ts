/** Scale, stop, start again, restart, delete, signal; whole apps, single workers, and all apps. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { isAlive } from '../support/processes.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  PATIENT,
  pidsOf,
  readApp,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';

describe('scale', () => {
  it('of a stopped app changes its size and starts nothing', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await change(drover, ['stop', 'shop']);
    assert.equal((await change(drover, ['scale', 'shop', '2'])).receipt.outcome, 'completed');
    const app = await readApp(drover, 'shop');
    assert.deepEqual([app.status, app.instances, pidsOf(app)], ['stopped', 2, []]);
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });

  it('up and down under load loses nothing', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, PATIENT));
    const loads = await Promise.all([
      startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
      startLoad({ mode: 'kept', port, connections: 10, pauseMs: [5, 20] }),
    ]);
    await Promise.all(loads.map(async (load) => load.untilAnswered(30)));
    for (const [words, count] of [
      ['4', 4],
      ['-3', 1],
      ['+1', 2],
    ] as const) {
      const { code, receipt } = await change(drover, ['scale', 'shop', words]);
      assert.equal(code, 0);
      assert.equal(receipt.requests.lost, 0);
      const app = await readApp(drover, 'shop');
      assert.equal(app.instances, count);
      assert.equal(readyWorkers(app).length, count);
      assert.equal(app.workers.length, count, 'no slot is left behind');
      await Promise.all(loads.map(async (load) => load.untilAnswered(30)));
    }
    const reports = await Promise.all(loads.map(async (load) => load.stop()));
    assert.deepEqual(
      reports.map(({ lostByReason }) => lostByReason),
      [{}, {}],
    );
  });

  it('gives new workers their share of the connections', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await change(drover, ['scale', 'shop', '3']);
    await untilAnswering(port, 3);
  });

  it('refuses less than one worker, with exit 2 and everything as it was', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    assert.equal((await drover.run(['scale', 'shop', '0'])).code, 2);
    assert.equal((await drover.run(['scale', 'shop', '-3'])).code, 2);
    assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 2);
  });
});

describe('stop', () => {
  it('lets requests under way finish and refuses new connections', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const slow = ask(port, '/slow/600');
    await ask(port);
    const { code } = await change(drover, ['stop', 'shop']);
    assert.equal((await slow).status, 200);
    assert.equal(code, 0);
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
    assert.deepEqual(before.filter(isAlive), []);
    const app = await readApp(drover, 'shop');
    assert.equal(app.status, 'stopped');
    assert.deepEqual(pidsOf(app), []);
  });

  it('is undone by start, which takes the same port', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    await drover.run(['stop', 'shop']);
    const { code } = await change(drover, ['start', 'shop']);
    assert.equal(code, 0);
    await untilAnswering(port, 2);
  });

  it('of a stopped app changes nothing and is fine', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    await drover.run(['stop', 'shop']);
    assert.equal((await drover.run(['stop', 'shop'])).code, 0);
    assert.equal((await readApp(drover, 'shop')).status, 'stopped');
  });

  it('kills what ignores SIGTERM once its patience is over', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const drain = { timeout: '200ms', idleGrace: '0ms' };
    await startApp(drover, 'shop', { script: fixture('ignores-sigterm.cjs'), port, drain });
    const [pid = 0] = await untilAnswering(port, 1);
    const { code } = await change(drover, ['stop', 'shop']);
    assert.equal(code, 0);
    assert.equal(isAlive(pid), false);
  });

  it('takes the descendants of the workers along, also those that left their session', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const child = Number((await ask(port, '/child')).body);
    assert.ok(isAlive(child));
    await change(drover, ['stop', 'shop']);
    assert.equal(isAlive(child), false, 'stopped means that nobody is left');
  });

  it('of one worker leaves the others', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3 }));
    const { code } = await change(drover, ['stop', 'shop/2']);
    assert.equal(code, 0);
    const app = await readApp(drover, 'shop');
    assert.deepEqual(
      readyWorkers(app).map(({ id }) => id),
      ['shop/0', 'shop/1'],
    );
    assert.deepEqual(
      [...(await untilAnswering(port, 2))].toSorted((a, b) => a - b),
      pidsOf(app),
    );
  });
});

describe('one worker', () => {
  const three = (port: number) => service(port, { instances: 3 });
  const readyIds = async (drover: Drover): Promise<string[]> =>
    readyWorkers(await readApp(drover, 'shop')).map(({ id }) => id);

  it('that was stopped is known to the next daemon, which starts it again', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', three(port));
    await drover.run(['stop', 'shop/2']);
    await drover.killDaemon();
    await untilApp(drover, 'shop', 'has its two workers', (app) => readyWorkers(app).length === 2);
    assert.equal((await change(drover, ['start', 'shop/2'])).code, 0);
    assert.deepEqual(await readyIds(drover), ['shop/0', 'shop/1', 'shop/2']);
    assert.equal((await drover.refusal(3, ['start', 'shop/3'])).code, 'DROVER_WORKER_UNKNOWN');
  });

  it('of a stopped app is started alone, also for the next daemon, until the others are started', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', three(port));
    await drover.run(['stop', 'shop']);
    assert.equal((await change(drover, ['start', 'shop/2'])).code, 0);
    assert.deepEqual(await readyIds(drover), ['shop/2']);
    const before = pidsOf(await readApp(drover, 'shop'));
    await drover.killDaemon();
    const app = await untilApp(drover, 'shop', 'has its worker', (one) => readyWorkers(one).length > 0);
    assert.deepEqual(pidsOf(app), before, 'nobody else comes up');
    for (let round = 0; round < 10; round++) assert.equal(Number((await ask(port)).body), before[0]);
    assert.equal((await change(drover, ['start', 'shop'])).code, 0);
    assert.deepEqual(await readyIds(drover), ['shop/0', 'shop/1', 'shop/2']);
  });

  for (const verb of ['reload', 'restart']) {
    it(`of a stopped app is started alone by ${verb} as well`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', three(port));
      await drover.run(['stop', 'shop']);
      assert.equal((await change(drover, [verb, 'shop/1'])).code, 0);
      assert.deepEqual(await readyIds(drover), ['shop/1']);
      assert.equal(pidsOf(await readApp(drover, 'shop')).length, 1);
    });
  }
});

describe('restart', () => {
  it('stops, then starts: all workers are others', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const { code, receipt } = await change(drover, ['restart', 'shop']);
    assert.equal(code, 0);
    assert.equal(receipt.outcome, 'completed');
    const after = await untilAnswering(port, 2);
    assert.deepEqual(
      before.filter((pid) => after.has(pid) || isAlive(pid)),
      [],
    );
  });
});

describe('delete', () => {
  it('ends the workers and forgets the app', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    assert.equal((await drover.run(['delete', 'shop'])).code, 0);
    assert.deepEqual(before.filter(isAlive), []);
    assert.deepEqual(await drover.list(), []);
    assert.equal((await drover.refusal(3, ['show', 'shop'])).code, 'DROVER_APP_UNKNOWN');
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
    await startApp(drover, 'shop', service(port));
  });
});

describe('signal', () => {
  it('reaches every worker of the app, or the one that is named', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', { script: fixture('counts-signals.cjs'), port, instances: 2 });
    const counts = async (): Promise<Map<string, string>> => {
      const seen = new Map<string, string>();
      await eventually('both workers answer', async () => {
        const [pid = '', count = ''] = (await ask(port)).body.split(' ');
        seen.set(pid, count);
        return seen.size === 2;
      });
      return seen;
    };
    const sent = await drover.json<{ workers: unknown[] }>(['signal', 'shop', 'SIGUSR2']);
    assert.equal(sent.workers.length, 2);
    await eventually('both have it', async () => [...(await counts()).values()].every((count) => count === '1'));
    await drover.json(['signal', 'shop/0', 'SIGUSR2']);
    await eventually('one has it twice', async () => [...(await counts()).values()].toSorted().join() === '1,2');
    assert.equal((await drover.run(['signal', 'shop', 'SIGNONSENSE'])).code, 2);
  });
});

describe('`all`', () => {
  it('means every app', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const other = await freePort();
    const file = writeConfig(drover, { one: service(port, { instances: 1 }), two: service(other, { instances: 1 }) });
    await drover.start([file]);
    const before = (await drover.list()).flatMap(pidsOf);
    const { receipts } = await drover.json<{ receipts: { outcome: string }[] }>(['reload', 'all']);
    assert.deepEqual(
      receipts.map(({ outcome }) => outcome),
      ['completed', 'completed'],
    );
    assert.deepEqual(
      (await drover.list()).flatMap(pidsOf).filter((pid) => before.includes(pid)),
      [],
    );
    assert.equal((await drover.run(['stop', 'all'])).code, 0);
    assert.deepEqual(
      (await drover.list()).map(({ status }) => status),
      ['stopped', 'stopped'],
    );
    assert.equal((await drover.run(['start', 'all'])).code, 0);
    assert.deepEqual(
      (await drover.list()).map(({ status }) => status),
      ['online', 'online'],
    );
  });
});

describe('`start all`', () => {
  it('starts nobody while one of the apps is being stopped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gate = join(drover.home, 'answer.gate');
    const apps = {
      idle: service(await freePort(), { instances: 1 }),
      leaving: service(port, { instances: 1, env: { ANSWER_GATE: gate } }),
    };
    await drover.start([writeConfig(drover, apps)]);
    await drover.run(['stop', 'idle']);
    const answer = ask(port, '/gated');
    await untilApp(drover, 'leaving', 'has a request', ({ workers }) => workers[0]?.inFlight === 1);
    const { operations } = await drover.json<{ operations: { id: string }[] }>(['stop', 'leaving', '--no-wait']);
    assert.equal((await drover.refusal(1, ['start', 'all'])).code, 'DROVER_BUSY');
    assert.equal((await readApp(drover, 'idle')).status, 'stopped');
    writeFileSync(gate, '');
    assert.equal((await answer).status, 200);
    assert.equal((await drover.run(['operation', operations[0]?.id ?? ''])).code, 0);
    assert.equal((await drover.run(['start', 'all'])).code, 0);
    assert.deepEqual(
      (await drover.list()).map(({ status }) => status),
      ['online', 'online'],
    );
  });
});

describe('a name that is not there', () => {
  it('is exit 3 for apps and for workers, with the nearest name', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    for (const verb of ['reload', 'restart', 'stop', 'delete', 'show', 'env', 'why']) {
      const error = await drover.refusal(3, [verb, 'shp']);
      assert.equal(error.code, 'DROVER_APP_UNKNOWN', verb);
      assert.match(error.hint ?? '', /shop/, verb);
    }
    assert.equal((await drover.refusal(3, ['reload', 'shop/7'])).code, 'DROVER_WORKER_UNKNOWN');
    assert.equal((await drover.refusal(3, ['operation', 'nothing'])).code, 'DROVER_OPERATION_UNKNOWN');
  });
});
