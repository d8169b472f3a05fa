/** The daemon under a service manager that keeps its descriptors and starts it again: no guard, nothing lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { startLoad } from '../support/load/index.ts';
import { isAlive } from '../support/processes.ts';
import { eventually } from '../support/eventually.ts';
import { ServiceManager, type ServiceManagerOptions } from '../support/service-manager.ts';
import {
  ask,
  change,
  openPlace,
  PATIENT,
  type Place,
  pidsOf,
  readApp,
  readEvents,
  refusalAt,
  service,
  startApp,
  untilApp,
} from '../support/service.ts';

/** A place whose daemon is started, and started again, by a service manager. */
interface ManagedPlace extends Place {
  readonly manager: ServiceManager;
}

const openManaged = async (options: ServiceManagerOptions = {}): Promise<ManagedPlace> => {
  const place = await openPlace();
  const manager = new ServiceManager(place.drover, options);
  return {
    ...place,
    manager,
    async [Symbol.asyncDispose]() {
      await manager[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
};

const startManaged = async (options: ServiceManagerOptions = {}): Promise<ManagedPlace> => {
  const place = await openManaged(options);
  await place.manager.start();
  return place;
};

const isOnline = ({ status }: { readonly status: string }): boolean => status === 'online';

describe('a daemon under a service manager', () => {
  it('is killed under load, comes back with what the store kept, and nothing is lost', async () => {
    await using place = await startManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, { instances: 3, ...PATIENT }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const status = await drover.daemon();
    assert.equal(status.guardPid, null, 'no guard besides');
    assert.equal(status.unit, 'drover-test.service');
    const loads = await Promise.all([
      startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
      startLoad({ mode: 'kept', port, connections: 5, pauseMs: [5, 20] }),
    ]);
    for (let kill = 0; kill < 3; kill++) {
      await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
      const pid = await manager.kill();
      assert.equal((await drover.daemon()).pid, pid);
      assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
    }
    assert.equal((await readEvents(drover, 'shop', 'worker-adopted')).length, 9);
    const regained = await readEvents(drover, 'shop', 'descriptors-regained');
    const fromStore = '3 sockets and 3 channels from systemd';
    assert.deepEqual(
      regained.map(({ reason }) => reason),
      [fromStore, fromStore, fromStore],
    );
    const reload = await change(drover, ['reload', 'shop']);
    assert.equal(reload.receipt.outcome, 'completed');
    assert.equal(reload.receipt.requests.lost, 0);
    await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
    const reports = await Promise.all(loads.map(async (load) => load.stop()));
    assert.deepEqual(
      reports.map(({ lostByReason }) => lostByReason),
      [{}, {}],
    );
  });

  it('and all workers are killed: connections that wait on the shards in the store are served by the next', async () => {
    await using place = await startManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port));
    const workers = pidsOf(await readApp(drover, 'shop'));
    manager.hold();
    await manager.end('SIGKILL');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await eventually('the workers are gone', () => !workers.some(isAlive));
    // Nobody but the store has the sockets now.
    const clients = await Promise.all(Array.from({ length: 8 }, async () => connect(port)));
    const answers = clients.map(answer);
    manager.release();
    for (const text of await Promise.all(answers)) assert.match(text, /^HTTP\/1\.1 200 /);
    await untilApp(drover, 'shop', 'is online', isOnline);
  });

  it('keeps the store equal to what it holds: what went is removed, one list is there', async () => {
    await using place = await startManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, { instances: 2 }));
    const count = (): number => manager.storedNames.filter((name) => /^drover-\d+$/.test(name)).length;
    // A shard, a private socket and a channel for each worker.
    await eventually('two workers are stored', () => count() === 6);
    await change(drover, ['scale', 'shop', '4']);
    await eventually('four workers are stored', () => count() === 12);
    await manager.kill();
    await untilApp(drover, 'shop', 'is online', isOnline);
    await change(drover, ['scale', 'shop', '1']);
    // A shard that was given up is kept for a while, so that nothing in its queue is lost.
    await eventually('one worker is stored', () => count() === 3, { withinMs: 30_000 });
    await drover.delete('shop');
    await eventually('nothing but the list is stored', () => manager.storedNames.length === 1);
    assert.match(manager.storedNames[0] ?? '', /^drover-list-\d+$/);
  });

  it('says when it is ready, that it is alive, what runs, and that it stops', async () => {
    await using place = await startManaged({ watchdogMs: 3000 });
    const { drover, port, manager } = place;
    const ready = await manager.untilTold('READY');
    assert.equal(ready.fields['STATUS'], 'no apps');
    assert.equal((await drover.daemon()).running, true, 'it serves when it says so');
    await startApp(drover, 'shop', service(port));
    await manager.untilTold('STATUS', ({ fields }) => fields['STATUS'] === '2 workers of 1 app');
    await eventually('it says again and again that it is alive', () => manager.valuesOf('WATCHDOG').length > 2);
    const slow = ask(port, '/slow/5000');
    await ask(port);
    await manager.stop();
    assert.equal((await slow).status, 200);
    assert.equal(manager.exits.at(-1), 0);
    const last = manager.told.findLastIndex(({ fields }) => fields['STOPPING'] === '1');
    assert.notEqual(last, -1);
    assert.equal(manager.told[last]?.fields['STATUS'], 'stopping 2 workers of 1 app');
    const asked = manager.valuesOf('EXTEND_TIMEOUT_USEC');
    assert.ok(asked.length >= 2 && Number(asked[0]) > 0, 'it asks for time for as long as workers drain');
    assert.equal(await refusalAt(port), 'ECONNREFUSED', 'nothing of a stopped app is left in the store');
    assert.deepEqual(manager.storedNames, []);
  });

  it('is killed by the watchdog when it is frozen, and the next one goes on', async () => {
    await using place = await startManaged({ watchdogMs: 3000 });
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const frozen = manager.mainPid ?? 0;
    await manager.untilTold('WATCHDOG');
    process.kill(frozen, 'SIGSTOP');
    const next = await manager.untilTold('READY', ({ pid }) => pid !== frozen);
    assert.deepEqual(manager.exits, ['SIGKILL']);
    await manager.untilTold('WATCHDOG', ({ pid }) => pid === next.pid);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), [worker]);
  });

  it('is restarted with its workers kept when it gets the signal for that', async () => {
    await using place = await startManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, PATIENT));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    await manager.kill('SIGUSR2');
    assert.equal(manager.exits.at(-1), 85);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
  });

  it('stays down when it was stopped by command, and its workers may stay', async () => {
    await using place = await startManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    assert.deepEqual([manager.exits, manager.starts.length], [[0], 1]);
    assert.equal(isAlive(pid), true);
    await manager.start();
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), [pid]);
  });

  it('waits longer from start to start while another daemon has the home, and takes over when that is gone', async () => {
    await using place = await openManaged();
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    manager.launch();
    const waiting = await manager.untilTold('STATUS', ({ fields }) =>
      /starts that failed so far: 2/.test(fields['STATUS'] ?? ''),
    );
    assert.match(waiting.fields['STATUS'] ?? '', /^waits 1 s before it tries again/);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    await manager.untilTold('READY');
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), [pid]);
    assert.equal((await drover.daemon()).pid, manager.mainPid);
  });

  it('is told by an abstract address, and does without a store', async () => {
    await using place = await startManaged({ address: `@drover-test-${process.pid}`, hasStore: false });
    const { drover, port, manager } = place;
    await startApp(drover, 'shop', service(port, PATIENT));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    await manager.kill();
    // The workers have the sockets too, and the daemon may ask them for theirs.
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
  });
});

describe('a daemon that a shell of somebody else’s service started', () => {
  it('does not take that service for its own', async () => {
    await using place = await openPlace();
    const env = { NOTIFY_SOCKET: '/nonexistent/notify', SYSTEMD_EXEC_PID: '1', WATCHDOG_USEC: '1000' };
    assert.equal((await place.drover.run(['daemon', 'start'], { env })).code, 0);
    const { guardPid, unit } = await place.drover.daemon();
    assert.notEqual(guardPid, null);
    assert.equal(unit, null);
  });
});

async function connect(port: number): Promise<Socket> {
  const client = createConnection({ port, host: '127.0.0.1' });
  await once(client, 'connect');
  return client;
}

async function answer(client: Socket): Promise<string> {
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  client.setEncoding('utf8');
  client.on('data', (chunk: string) => (text += chunk));
  await once(client, 'end');
  return text;
}
