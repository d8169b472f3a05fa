/** Which ends are followed by a new start, how soon, and what the app is called meanwhile (CONTRACT.md, "Restarts"). */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  untilApp,
  writeConfig,
} from '../support/service.ts';

const SHORT = { backoff: { initial: '50ms', max: '200ms' } };

describe('a start that fails', () => {
  it('is retried with a growing backoff, and reported with the last log lines', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, {
      shop: { script: fixture('throws-at-start.cjs'), port, restart: SHORT },
    });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.equal(receipt.outcome, 'failed');
    assert.match(receipt.reason ?? '', /cannot read the moon/);
    assert.ok(
      receipt.log?.some((line) => line.includes('cannot read the moon')),
      String(receipt.log),
    );
    const backoffs = await readEvents(drover, 'shop', 'worker-backoff');
    const waits = backoffs.map(({ reason }) => Number(/(\d+) ms/.exec(reason ?? '')?.[1]));
    assert.ok(waits.length >= 2, 'each failed start is followed by a backoff');
    assert.ok((waits[1] ?? 0) > (waits[0] ?? 0), `the second wait is longer: ${waits.join(', ')}`);
    const app = await readApp(drover, 'shop');
    assert.ok(['crash-loop', 'failed', 'starting'].includes(app.status), app.status);
    assert.match(app.reason ?? '', /cannot read the moon/, 'also while the next start is tried');
  });

  it('comes up by itself once what it needs is there', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const fault = join(drover.home, 'fault');
    writeFileSync(fault, '');
    const file = writeConfig(drover, {
      shop: { script: fixture('throws-at-start.cjs'), port, restart: SHORT, env: { FAULT_FILE: fault } },
    });
    assert.equal((await drover.run(['start', file])).code, 1);
    rmSync(fault);
    await untilApp(drover, 'shop', 'is online', (app) => app.status === 'online' && readyWorkers(app).length === 1);
    assert.equal((await ask(port)).status, 200);
  });

  it('because the app ended with 0 before it listened on its declared port is a failure that names the port or the exit', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: { script: fixture('exits-0-early.cjs'), port, restart: SHORT } });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.match(receipt.reason ?? '', /ended|exit|0/);
    assert.ok(receipt.log?.some((line) => line.includes('nothing to do')));
  });

  it('is none where a job ends with 0 that is not to be run again', async () => {
    for (const policy of ['never', 'on-failure']) {
      await using place = await openPlace();
      const { drover } = place;
      const file = writeConfig(drover, { job: { script: fixture('exits-0-early.cjs'), restart: { policy } } });
      const { code, receipt } = await change(drover, ['start', file]);
      assert.deepEqual([code, receipt.outcome], [0, 'completed'], `${policy}: ${receipt.reason}`);
      assert.equal((await readApp(drover, 'job')).status, 'stopped');
    }
  });

  it('because the declared port is never listened on ends at ready.timeout and says what was waited for', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, {
      shop: { script: fixture('never-listens.cjs'), port, restart: SHORT, ready: { timeout: '300ms' } },
    });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.match(receipt.reason ?? '', new RegExp(`300 ms.*port ${port}`));
    const timeouts = await readEvents(drover, 'shop', 'worker-start-timeout');
    assert.ok(timeouts.length > 0);
    assert.equal(await refusalAt(port).then((code_) => code_ !== null), true);
  });
});

describe('a crash loop', () => {
  it('is tried again at once by `start`, which tells whether that helped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const cause = join(drover.home, 'cause');
    writeFileSync(cause, '');
    // What waits is told from what is tried: nobody would wait for minutes.
    const restart = { backoff: { initial: '5m', max: '5m' } };
    const file = writeConfig(drover, {
      shop: { script: fixture('fails-while-there.cjs'), port, restart, env: { CAUSE: cause } },
    });
    assert.equal((await change(drover, ['start', file])).code, 1);
    await untilApp(drover, 'shop', 'waits', ({ workers }) => workers.some(({ status }) => status === 'backoff'));
    for (const words of [
      ['start', file],
      ['start', 'shop'],
    ]) {
      const { code, receipt } = await change(drover, words);
      assert.deepEqual([code, receipt.outcome], [1, 'failed'], words.join(' '));
      assert.match(receipt.reason ?? '', /the cause is there/);
    }
    rmSync(cause);
    const { code, receipt } = await change(drover, ['start', 'shop']);
    assert.deepEqual([code, receipt.outcome], [0, 'completed']);
    assert.equal((await readApp(drover, 'shop')).status, 'online');
    assert.equal((await ask(port)).status, 200);
  });

  it('of an app that listens before it fails keeps its waits, though nobody serves meanwhile', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    // None of them is ever ready, however late their end is seen.
    const ready = { stableFor: '5s' };
    const file = writeConfig(drover, {
      shop: { script: fixture('listens-and-crashes.cjs'), port, restart: SHORT, ready },
    });
    await change(drover, ['start', file]);
    const gaps = await eventually('it has been started ten times', async () => {
      const events = await readEvents(drover, 'shop');
      const at = (type: string): number[] =>
        events.filter((event) => event.type === type).map(({ at: when }) => Date.parse(when));
      const [waits, starts] = [at('worker-backoff'), at('worker-spawned')];
      return (
        starts.length > 10 && waits.slice(0, starts.length - 1).map((wait, turn) => (starts[turn + 1] ?? 0) - wait)
      );
    });
    // Four tries may come before their time; then it waits for the 200 ms that it is told to.
    const last = gaps.slice(-4);
    assert.ok(Math.min(...last) >= 199, JSON.stringify(gaps));
  });

  it('is called so, is retried for ever, and ends when the worker holds out', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const restart = { ...SHORT, crashLoop: { restarts: 1, within: '5s' } };
    await startApp(drover, 'shop', service(port, { instances: 1, restart }));
    for (let crash = 0; crash < 3; crash++) {
      const { restarts = 0 } = readyWorkers(await readApp(drover, 'shop'))[0] ?? {};
      await ask(port, '/exit/9');
      await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some((each) => each.restarts > restarts));
    }
    const [loop] = await readEvents(drover, 'shop', 'crash-loop');
    assert.equal(loop?.worker, 'shop/0');
    assert.equal((await readApp(drover, 'shop')).status, 'crash-loop');
    await untilApp(drover, 'shop', 'is online again', (app) => app.status === 'online');
    assert.equal((await readEvents(drover, 'shop', 'crash-loop-ended')).length, 1);
  });
});

describe('the restart policy', () => {
  it('never: what crashed stays down and the app has failed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, restart: { policy: 'never' } }));
    await ask(port, '/exit/3');
    const app = await untilApp(drover, 'shop', 'failed', ({ status }) => status === 'failed');
    assert.equal(app.workers[0]?.status, 'exited');
    assert.match(app.reason ?? '', /\b3\b/);
    assert.equal((await readEvents(drover, 'shop', 'worker-spawned')).length, 1);
  });

  it('on-failure: a clean exit is the end, a failure is not', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, restart: { policy: 'on-failure' } }));
    await ask(port, '/exit/3');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app)[0]?.restarts === 1);
    await ask(port, '/exit/0');
    await untilApp(drover, 'shop', 'has ended', ({ workers }) => workers[0]?.status === 'exited');
    assert.equal((await readEvents(drover, 'shop', 'worker-spawned')).length, 2);
  });

  it('always: a clean exit is followed by a start', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await ask(port, '/exit/0');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app)[0]?.restarts === 1);
  });
});
