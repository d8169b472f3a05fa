/** What happens when a worker dies: the siblings answer, a new one takes its place at once, and the cause is on record. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppDetailDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { isAlive, killAndListClients } from '../support/processes.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  readWhy,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';

describe('a worker that is killed', () => {
  it('is replaced, while its siblings answer every request that was not on it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3 }));
    const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [2, 10] });
    await load.untilAnswered(100);
    const before = pidsOf(await readApp(drover, 'shop'));
    const victim = before[0] ?? 0;
    const onVictim = killAndListClients(victim);
    const after = await untilApp(
      drover,
      'shop',
      'has three workers again',
      (app) => readyWorkers(app).length === 3 && !pidsOf(app).includes(victim),
    );
    await load.untilAnswered(200);
    const report = await load.stop();
    const strangers = report.lostRequests.filter(({ localPort }) => !onVictim.has(localPort ?? 0));
    assert.deepEqual(strangers, [], 'only requests on the killed process are lost');
    assert.equal(pidsOf(after).filter((pid) => before.includes(pid)).length, 2, 'the siblings are the same');
    assert.deepEqual(
      after.workers.map(({ restarts }) => restarts).toSorted((a, b) => a - b),
      [0, 0, 1],
      'the restart is counted on its slot',
    );
  });

  it('is not waited for: the first restart after ready has no backoff', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    // A backoff so long that the test would not live to see its end.
    const restart = { backoff: { initial: '60s', max: '10m' } };
    await startApp(drover, 'shop', service(port, { instances: 1, restart }));
    const [pid = 0] = await untilAnswering(port, 1);
    process.kill(pid, 'SIGKILL');
    const app = await untilApp(drover, 'shop', 'is back', (one) => readyWorkers(one).some((each) => each.pid !== pid));
    assert.equal(app.status, 'online');
    assert.deepEqual(await readEvents(drover, 'shop', 'worker-backoff'), []);
  });

  it('takes along everything that it had started', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = await untilAnswering(port, 1);
    const child = Number((await ask(port, '/child')).body);
    assert.ok(isAlive(child));
    process.kill(pid, 'SIGKILL');
    await eventually('the child of the killed worker is gone', () => !isAlive(child));
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).length === 1);
  });

  it('is told by `events` and `why`: the signal, and what came of it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = await untilAnswering(port, 1);
    process.kill(pid, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some((each) => each.pid !== pid));
    const [exit] = await readEvents(drover, 'shop', 'worker-exited');
    assert.equal(exit?.worker, 'shop/0');
    assert.match(exit?.reason ?? '', /SIGKILL/);
    const { chain, summary } = await readWhy(drover, 'shop');
    assert.match(summary, /shop/);
    const spawned = chain.findLast(({ event }) => /spawned/.test(event));
    assert.match(spawned?.because ?? '', /SIGKILL/, 'the new worker is there because the old one was killed');
  });
});

describe('the event of a crash', () => {
  it('has the last lines of the worker, as have `why` and `show`, bounded however long a line is', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await assert.rejects(ask(port, '/throw'));
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app)[0]?.restarts === 1);
    const [exit] = await readEvents(drover, 'shop', 'worker-exited');
    const lines = exit?.data['lastLines'] as readonly string[];
    assert.ok(lines.includes('Error: as asked by a client'), lines.join('\n'));
    assert.ok(lines.length <= 30 && lines.join('').length <= 8 * 1024);
    const { chain } = await readWhy(drover, 'shop');
    assert.deepEqual(chain.find(({ event }) => event.includes('worker exited'))?.lastLines, lines);
    assert.match((await drover.run(['why', 'shop'])).stdout, /\| Error: as asked by a client/);
    const { lastCrash } = await drover.json<AppDetailDocument>(['show', 'shop']);
    assert.deepEqual([lastCrash?.worker, lastCrash?.lastLines], ['shop/0', lines]);
    assert.match((await drover.run(['show', 'shop'])).stdout, /last crash: shop\/0 .*\n(?:.*\n)*.*\| Error: as asked/);
  });

  it('has them for a signal, a failed start and a death while the daemon was away, and for no stop', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', {
      script: fixture('writes-lines.cjs'),
      port,
      instances: 1,
      env: { LINES: '100' },
    });
    const lastLines = async (): Promise<readonly string[]> =>
      ((await readEvents(drover, 'shop', 'worker-exited')).at(-1)?.data['lastLines'] ?? []) as readonly string[];
    const [first = 0] = pidsOf(await readApp(drover, 'shop'));
    process.kill(first, 'SIGSEGV');
    const back = await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== first));
    assert.ok((await lastLines()).includes(`${first} line 99`));

    const [second = 0] = pidsOf(back);
    const { pid: daemon, guardPid } = await drover.daemon();
    assert.ok(daemon !== null && guardPid !== null);
    // The guard first, or it would bring the daemon back before the worker is gone.
    process.kill(guardPid, 'SIGSTOP');
    process.kill(daemon, 'SIGKILL');
    process.kill(second, 'SIGKILL');
    process.kill(guardPid, 'SIGCONT');
    await eventually('the death is on record', async () => (await lastLines()).includes(`${second} line 99`));
    await drover.untilReady('shop', 1);

    await change(drover, ['stop', 'shop']);
    assert.deepEqual(await lastLines(), []);

    await drover.run(['start', fixture('throws-at-start.cjs'), '--name', 'moon']);
    const failed = (await readEvents(drover, 'moon', 'worker-exited'))[0]?.data['lastLines'] as readonly string[];
    assert.ok(failed.includes('about to fail') && failed.includes('Error: cannot read the moon'), failed.join('\n'));
  });
});

describe('a worker that ends by itself', () => {
  it('is replaced with its exit code on record', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await ask(port, '/exit/43');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app)[0]?.restarts === 1);
    const [exit] = await readEvents(drover, 'shop', 'worker-exited');
    assert.match(exit?.reason ?? '', /\b43\b/);
    assert.equal(await refusalAt(port), null);
  });

  it('leaves the text of its uncaught error in the logs', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await assert.rejects(ask(port, '/throw'));
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app)[0]?.restarts === 1);
    const { stdout } = await drover.run(['logs', 'shop', '--json']);
    const line = stdout.split('\n').find((text) => text.includes('Error: as asked by a client')) ?? '{}';
    assert.equal((JSON.parse(line) as { stream?: string }).stream, 'stderr');
    const [exit] = await readEvents(drover, 'shop', 'worker-exited');
    assert.match(exit?.reason ?? '', /\b1\b/);
  });
});
