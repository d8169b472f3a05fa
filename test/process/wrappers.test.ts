/** Programs that are not Node, and Node behind wrappers: started, reloaded, and gone with everything they started. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { AppDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { type LoadReport, type RunningLoad, startLoad } from '../support/load/index.ts';
import { isAlive, killAndListClients, listTree } from '../support/processes.ts';
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
  type Settings,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();

const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['-c', 'import http.server']);
    return true;
  } catch {
    return false;
  }
})();

describe('`npm start`', () => {
  it('is looked through: the workers are Node itself, as many as wanted, and reload without loss', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    writeFileSync(
      join(drover.home, 'package.json'),
      JSON.stringify({ name: 'shop', scripts: { start: `node ${fixture('service.cjs')}` } }),
    );
    await drover.start(['npm', '--name', 'shop', '--instances', '2', '--port', String(port), '--', 'start']);
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    for (const pid of pidsOf(app)) assert.match(commandOf(pid), /service\.cjs$/);
    assert.deepEqual(
      [...(await untilAnswering(port, 2))].toSorted((a, b) => a - b),
      pidsOf(app),
    );
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await untilAnswering(port, 2);
  });

  it('runs unchanged for a caller whose PATH is another one', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    writeFileSync(
      join(drover.home, 'package.json'),
      JSON.stringify({ name: 'shop', scripts: { start: `node ${fixture('service.cjs')}` } }),
    );
    const words = ['npm', '--name', 'shop', '--port', String(port), '--', 'start'];
    await drover.start(words);
    const PATH = `/opt/elsewhere:${dirname(process.execPath)}:${process.env['PATH']}`;
    const again = await drover.run(['start', ...words], { env: { PATH } });
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.match(again.stdout, /unchanged/);
    assert.ok((await ask(port, '/env/PATH')).body.startsWith(join(drover.home, 'node_modules', '.bin')));
  });
});

/** A wrapper that does something of its own and runs the service as its child. */
const wrapped = (port: number, more: Settings = {}): Settings => ({
  command: ['sh', fixture('traps-and-forks.sh'), 'node', fixture('service.cjs')],
  port,
  instances: 3,
  ...PATIENT,
  ...more,
});

/** The wrappers and all that they started. */
const treeOf = (app: AppDocument): readonly number[] => pidsOf(app).flatMap(listTree);

const startLoads = async (port: number): Promise<readonly RunningLoad[]> => [
  await startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] }),
  await startLoad({ mode: 'kept', port, connections: 8, pauseMs: [5, 20] }),
];
const untilMore = async (loads: readonly RunningLoad[]): Promise<unknown> =>
  Promise.all(loads.map(async (load) => load.untilAnswered(50)));
const stopLoads = async (loads: readonly RunningLoad[]): Promise<readonly LoadReport[]> =>
  Promise.all(loads.map(async (load) => load.stop()));

describe('a wrapper that cannot be looked through', () => {
  it('serves with several workers on one port, and reloads them under load without loss', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', wrapped(port));
    const servers = await untilAnswering(port, 3);
    const before = treeOf(await readApp(drover, 'shop'));
    assert.equal(before.length, 6);
    for (const server of servers) assert.ok(before.includes(server), 'the servers are children of the wrappers');
    const loads = await startLoads(port);
    await untilMore(loads);
    const { receipt } = await change(drover, ['reload', 'shop']);
    await untilMore(loads);
    const reports = await stopLoads(loads);
    assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
    assert.equal(receipt.requests.lost, 0);
    assert.ok(receipt.requests.served > 0, 'the requests behind wrappers are counted');
    for (const { lost, lostByReason } of reports) assert.equal(lost, 0, JSON.stringify(lostByReason));
    assert.deepEqual(before.filter(isAlive), [], 'nothing is left of the old trees');
    assert.equal((await untilAnswering(port, 3)).size, 3);
  });

  it('loses only what was connected to a server that is killed, and nothing that was queued', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', wrapped(port));
    const loads = await startLoads(port);
    await untilMore(loads);
    const [, server = 0] = listTree(pidsOf(await readApp(drover, 'shop'))[0] ?? 0);
    const clients = killAndListClients(server);
    await untilMore(loads);
    await drover.untilReady('shop', 3);
    for (const { lostRequests } of await stopLoads(loads)) {
      const others = lostRequests.filter(({ localPort }) => localPort === null || !clients.has(localPort));
      assert.deepEqual(others, []);
    }
  });

  it('goes with its server when it is stopped, and is replaced with it when it is killed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', wrapped(port, { instances: 1 }));
    const first = treeOf(await readApp(drover, 'shop'));
    process.kill(first[0] ?? 0, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== first[0]));
    await eventually('no server of before is left beside the new one', () => first.every((pid) => !isAlive(pid)));
    assert.ok(!first.includes(Number((await ask(port)).body)));
    const second = treeOf(await readApp(drover, 'shop'));
    assert.equal((await change(drover, ['stop', 'shop'])).code, 0);
    assert.deepEqual(second.filter(isAlive), []);
    assert.notEqual(await refusalAt(port), null);
  });

  it('survives the death of the daemon, and is reloaded by the next one without loss', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', wrapped(port));
    const before = treeOf(await readApp(drover, 'shop'));
    const loads = await startLoads(port);
    await untilMore(loads);
    await drover.killDaemon();
    const app = await drover.untilReady('shop', 3);
    assert.deepEqual(treeOf(app), before);
    await untilApp(drover, 'shop', 'has its agents back', ({ workers }) =>
      workers.every(({ heapUsedBytes }) => heapUsedBytes !== null),
    );
    const { receipt } = await change(drover, ['reload', 'shop']);
    await untilMore(loads);
    assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
    for (const { lost, lostByReason } of await stopLoads(loads)) assert.equal(lost, 0, JSON.stringify(lostByReason));
    assert.deepEqual(before.filter(isAlive), []);
  });

  it('that would wait for its next run ends as soon as its server has', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const command = ['sh', fixture('waits-for-next-run.sh'), 'node', fixture('service.cjs')];
    await startApp(drover, 'shop', { command, port, drain: { idleGrace: '100ms' } });
    const tree = treeOf(await readApp(drover, 'shop'));
    // Far below the thirty seconds after which it would be killed.
    assert.equal((await drover.run(['stop', 'shop'], { timeoutMs: 15_000 })).code, 0);
    assert.deepEqual(tree.filter(isAlive), []);
  });

  it('that listens itself, to hear of its child, does not count as the server', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const command = [
      'sh',
      fixture('traps-and-forks.sh'),
      'node',
      fixture('talks-with-child.cjs'),
      fixture('service.cjs'),
    ];
    await startApp(drover, 'shop', wrapped(port, { command, instances: 2 }));
    await untilAnswering(port, 2);
  });

  it('stops before it starts where a second process holds a port of its own', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const metrics = await freePort();
    const command = ['sh', fixture('runs-two.sh'), fixture('service.cjs'), String(metrics)];
    // Whichever of the two speaks for the worker, it is ready once both listen.
    await startApp(drover, 'shop', { command, port: [port, metrics] });
    const servers = [await ask(port), await ask(metrics)].map(({ body }) => Number(body));
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    assert.ok(!servers.includes(Number((await ask(port)).body)));
    assert.ok(!servers.includes(Number((await ask(metrics)).body)));
    assert.deepEqual(servers.filter(isAlive), []);
  });
});

describe('Node that listens where its agent cannot see it', () => {
  for (const [name, settings] of [
    ['natively', { script: fixture('listens-natively.cjs') }],
    ['in a child', { script: fixture('talks-with-child.cjs'), args: [fixture('service.cjs')] }],
  ] satisfies readonly [string, Settings][]) {
    it(`(${name}) is ready when its port listens, and is stopped before it is started again`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', { ...settings, port, drain: { idleGrace: '100ms' } });
      const first = treeOf(await readApp(drover, 'shop'));
      const server = Number((await ask(port)).body);
      assert.ok(first.includes(server));
      const { receipt } = await change(drover, ['reload', 'shop']);
      assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
      assert.notEqual(Number((await ask(port)).body), server);
      assert.deepEqual(first.filter(isAlive), []);
    });
  }
});

describe('a program that is not Node', { skip: hasPython ? false : 'python3 is not installed' }, () => {
  const python = (port: number): string[] => ['python3', '-m', 'http.server', String(port), '--bind', '127.0.0.1'];

  it('runs as a single worker, is ready when its port listens, and is gone when stopped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'files', { command: python(port), port });
    assert.equal((await ask(port)).status, 200);
    const before = pidsOf(await readApp(drover, 'files'));
    assert.equal((await change(drover, ['reload', 'files'])).code, 0);
    assert.equal((await ask(port)).status, 200);
    const after = pidsOf(await readApp(drover, 'files'));
    assert.notDeepEqual(after, before);
    process.kill(after[0] ?? 0, 'SIGKILL');
    await untilApp(drover, 'files', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== after[0]));
    assert.equal((await ask(port)).status, 200);
    assert.equal((await change(drover, ['stop', 'files'])).code, 0);
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });

  it('is adopted by the next daemon', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'files', { command: python(port), port });
    const before = pidsOf(await readApp(drover, 'files'));
    await drover.killDaemon();
    const app = await untilApp(drover, 'files', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    assert.equal((await change(drover, ['stop', 'files'])).code, 0);
    assert.deepEqual(before.filter(isAlive), []);
  });

  it('cannot have several instances on one port: exit 2 with advice', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const words = ['--name', 'files', '--instances', '2', '--port', String(port), '--', ...python(port)];
    const result = await drover.run(['start', ...words]);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /instance/);
  });
});
