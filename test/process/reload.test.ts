/** A reload loses nothing, takes over what changed, and leaves the old workers alone when it fails. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startLoad } from '../support/load/index.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  PATIENT,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  service,
  startApp,
  untilAnswering,
  writeConfig,
} from '../support/service.ts';

describe('a reload under load', () => {
  it('replaces every worker, loses nothing, and its receipt says what the clients say', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3, ...PATIENT }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const loads = await Promise.all([
      startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
      startLoad({ mode: 'kept', port, connections: 10, pauseMs: [5, 20] }),
    ]);
    await Promise.all(loads.map(async (load) => load.untilAnswered(100)));
    const { code, receipt } = await change(drover, ['reload', 'shop']);
    await Promise.all(loads.map(async (load) => load.untilAnswered(100)));
    const reports = await Promise.all(loads.map(async (load) => load.stop()));
    const after = pidsOf(await readApp(drover, 'shop'));
    assert.equal(code, 0);
    assert.equal(receipt.outcome, 'completed');
    assert.deepEqual(
      reports.map(({ lost, lostByReason }) => ({ lost, lostByReason })),
      [
        { lost: 0, lostByReason: {} },
        { lost: 0, lostByReason: {} },
      ],
    );
    assert.equal(receipt.requests.lost, 0);
    assert.equal(receipt.requests.failed, 0);
    assert.ok(receipt.requests.served > 0, 'requests were served during the reload');
    assert.ok(receipt.requests.served <= reports.reduce((sum, { answered }) => sum + answered, 0));
    assert.equal(after.length, 3);
    assert.deepEqual(
      after.filter((pid) => before.includes(pid)),
      [],
      'nobody is left of the old ones',
    );
  });

  it('in batches of one replaces one slot after the other', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3, surge: 1 }));
    const { receipt } = await change(drover, ['reload', 'shop']);
    assert.equal(receipt.outcome, 'completed');
    const names = receipt.steps.map(({ name, worker }) => `${name} ${worker}`);
    for (const slot of [1, 2]) {
      const drained = names.indexOf(`drained shop/${slot - 1}`);
      assert.ok(drained !== -1 && drained < names.indexOf(`ready shop/${slot}`), names.join(', '));
    }
  });

  it('waits for a request that takes its time', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [old] = await untilAnswering(port, 1);
    const slow = ask(port, '/slow/1500');
    const { receipt } = await change(drover, ['reload', 'shop']);
    assert.equal(Number((await slow).body), old, 'the old worker answered it');
    assert.equal(receipt.outcome, 'completed');
    assert.equal(receipt.requests.lost, 0);
  });

  it('cuts at the drain timeout what does not end, and counts it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const drain = { timeout: '300ms', idleGrace: '50ms' };
    await startApp(drover, 'shop', service(port, { instances: 1, drain }));
    const cut = assert.rejects(ask(port, '/slow/60000'));
    // Only a request that has arrived can be cut: another one on the same worker has been answered after it.
    await ask(port);
    const { receipt } = await change(drover, ['reload', 'shop']);
    await cut;
    assert.equal(receipt.outcome, 'completed');
    assert.equal(receipt.requests.lost, 1);
  });

  it('of one worker replaces that one', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3 }));
    const pidBySlot = async (): Promise<Map<number, number | null>> =>
      new Map((await readApp(drover, 'shop')).workers.map(({ slot, pid }) => [slot, pid]));
    const before = await pidBySlot();
    const { receipt } = await change(drover, ['reload', 'shop/1']);
    const after = await pidBySlot();
    assert.equal(receipt.outcome, 'completed');
    assert.deepEqual(
      [...after.keys()].filter((slot) => after.get(slot) !== before.get(slot)),
      [1],
    );
  });
});

describe('a reload whose replacement fails', () => {
  for (const { name, script, settings, reason } of [
    { name: 'throws', script: 'throws-at-start.cjs', settings: {}, reason: /cannot read the moon/ },
    {
      name: 'never listens',
      script: 'never-listens.cjs',
      settings: { ready: { timeout: '2s' } },
      reason: /not ready/,
    },
  ]) {
    it(`because it ${name} is exit 1, prints its last lines, and the old workers serve on`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const fault = join(drover.home, 'fault');
      await startApp(drover, 'shop', {
        script: fixture(script),
        port,
        instances: 2,
        env: { FAULT_FILE: fault },
        ...settings,
      });
      const before = pidsOf(await readApp(drover, 'shop'));
      writeFileSync(fault, '');
      const load = await startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] });
      const result = await drover.run(['reload', 'shop']);
      await load.untilAnswered(20);
      const report = await load.stop();
      assert.equal(result.code, 1);
      assert.match(result.stdout + result.stderr, reason);
      assert.match(result.stdout + result.stderr, /about to fail|warming up for ever/, 'the last lines of its output');
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
      const app = await readApp(drover, 'shop');
      assert.equal(app.status, 'online');
      assert.deepEqual(pidsOf(app), before, 'the old workers, and nobody else');
      rmSync(fault);
      assert.equal(
        (await change(drover, ['reload', 'shop'])).receipt.outcome,
        'completed',
        'and it may be tried again',
      );
    });
  }
});

describe('a reload takes over', () => {
  it('the environment of the caller, of a bare script: changed and removed variables', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const words = [fixture('service.cjs'), '--name', 'shop', '--port', String(port)];
    await drover.start(words, { env: { COLOUR: 'red', SIZE: 'big' } });
    assert.equal((await ask(port, '/env/COLOUR')).body, 'red');
    assert.equal((await ask(port, '/env/SIZE')).body, 'big');
    await drover.reload('shop', { env: { COLOUR: 'blue' } });
    assert.equal((await ask(port, '/env/COLOUR')).body, 'blue');
    assert.equal((await ask(port, '/env/SIZE')).body, '(none)');
  });

  it('envFile as it is now', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const envFile = join(drover.home, 'vars');
    writeFileSync(envFile, 'COLOUR=red\nSIZE=big\n');
    await startApp(drover, 'shop', service(port, { instances: 1, envFile }));
    assert.equal((await ask(port, '/env/SIZE')).body, 'big');
    writeFileSync(envFile, 'COLOUR=blue\n');
    await drover.reload('shop');
    assert.equal((await ask(port, '/env/COLOUR')).body, 'blue');
    assert.equal((await ask(port, '/env/SIZE')).body, '(none)');
  });

  it('a working directory whose link points elsewhere now', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const link = join(drover.home, 'current');
    for (const release of ['one', 'two']) {
      mkdirSync(join(drover.home, release));
      writeFileSync(join(drover.home, release, 'server.cjs'), `require(${JSON.stringify(fixture('service.cjs'))});`);
    }
    symlinkSync(join(drover.home, 'one'), link);
    await startApp(drover, 'shop', { script: join(link, 'server.cjs'), cwd: link, port });
    assert.equal((await ask(port, '/cwd')).body, join(drover.home, 'one'));
    symlinkSync(join(drover.home, 'two'), `${link}.new`);
    renameSync(`${link}.new`, link);
    await drover.reload('shop');
    assert.equal((await ask(port, '/cwd')).body, join(drover.home, 'two'));
  });

  it('nothing of a configuration file that was changed: that is what `apply` is for', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, env: { COLOUR: 'red' } }));
    const file = writeConfig(drover, { shop: service(port, { instances: 1, env: { COLOUR: 'blue' } }) }, 'shop');
    await drover.reload('shop');
    assert.equal((await ask(port, '/env/COLOUR')).body, 'red');
    assert.equal((await drover.run(['apply', file])).code, 0);
    assert.equal((await ask(port, '/env/COLOUR')).body, 'blue');
  });
});

describe('a reload of an app that is stopped', () => {
  it('starts it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    await drover.run(['stop', 'shop']);
    const { code } = await change(drover, ['reload', 'shop']);
    assert.equal(code, 0);
    assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 2);
    assert.equal((await readEvents(drover, 'shop', 'worker-spawned')).length, 4);
  });
});
