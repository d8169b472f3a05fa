/** The daemon dies in the middle of a change: the next one goes on with it, and who waits for it hears of its end. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listeningSockets } from '../../src/os/index.ts';
import type { OperationListDocument, ReceiptDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { isAlive } from '../support/processes.ts';
import {
  type Answer,
  ask,
  change,
  fixture,
  type Place,
  openPlace,
  PATIENT,
  pidsOf,
  read,
  readApp,
  readEvents,
  readyWorkers,
  service,
  startApp,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

/** What holds a worker back: it listens, or answers `/gated`, when the file is there. */
interface Gates {
  readonly env: Readonly<Record<string, string>>;
  readonly open: (gate: Gate) => void;
  readonly shut: (gate: Gate) => void;
}
type Gate = 'BOOT_GATE' | 'ANSWER_GATE';

const gatesOf = ({ drover }: Place): Gates => {
  const env = { BOOT_GATE: join(drover.home, 'boot.gate'), ANSWER_GATE: join(drover.home, 'answer.gate') };
  const open = (gate: Gate): void => writeFileSync(env[gate], '');
  open('BOOT_GATE');
  return { env, open, shut: (gate) => rmSync(env[gate], { force: true }) };
};

/** Gives every worker a request that is answered when its gate opens, so that draining lasts until then. */
const occupy = async ({ drover, port }: Place, workers: number): Promise<{ readonly answers: Promise<Answer[]> }> => {
  const asked: Promise<Answer>[] = [];
  await eventually('every worker has something to do', async () => {
    // Other clients connect meanwhile, so that it is chance who gets which; a report comes once a second.
    for (let more = 0; more < workers; more++) asked.push(ask(port, '/gated'));
    const app = await readApp(drover, 'shop');
    return app.workers.filter(({ inFlight }) => (inFlight ?? 0) > 0).length === workers;
  });
  return { answers: Promise.all(asked) };
};

const assertAnswered = (answers: readonly Answer[]): void =>
  assert.deepEqual(
    answers.filter(({ status }) => status !== 200),
    [],
  );

const untilPhase = async ({ drover }: Place, kind: string, phase: 'booting' | 'draining'): Promise<string> => {
  let id = '';
  await eventually(`the ${kind} is ${phase}`, async () => {
    const { operations } = await read<OperationListDocument>(drover, '/v1/operations?app=shop');
    const found = operations.find((operation) => operation.kind === kind && operation.status === 'running');
    id = found?.id ?? '';
    return found?.phase === phase;
  });
  return id;
};

interface Change {
  readonly args: readonly string[];
  /** What the operation is called, where it is not the command. */
  readonly kind?: string;
  /** When the daemon is killed; the gate that keeps the operation there opens afterwards. */
  readonly phase: 'booting' | 'draining';
  readonly kills?: number;
}

/** Runs the command, kills the daemon in the middle of its operation, and returns what the command came to. */
const changeThroughDeath = async (
  place: Place,
  { open, shut }: Gates,
  { args, kind = args[0] ?? '', phase, kills = 1 }: Change,
): Promise<{ readonly code: number; readonly receipt: ReceiptDocument }> => {
  if (phase === 'booting') shut('BOOT_GATE');
  const changing = change(place.drover, args);
  const id = await untilPhase(place, kind, phase);
  for (let kill = 0; kill < kills; kill++) await place.drover.killDaemon();
  open(phase === 'booting' ? 'BOOT_GATE' : 'ANSWER_GATE');
  const { code, receipt } = await changing;
  assert.equal(receipt.operation, id, 'the same operation ended');
  assert.equal(receipt.steps.filter(({ name }) => name === 'resumed').length, kills, 'the receipt says so');
  return { code, receipt };
};

const openLoads = async (port: number) => {
  const loads = await Promise.all([
    startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] }),
    startLoad({ mode: 'kept', port, connections: 6, pauseMs: [5, 20] }),
  ]);
  await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
  return {
    async end(): Promise<number> {
      await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
      const reports = await Promise.all(loads.map(async (load) => load.stop()));
      assert.deepEqual(
        reports.map(({ lostByReason }) => lostByReason),
        [{}, {}],
      );
      return reports.reduce((sum, { answered }) => sum + answered, 0);
    },
  };
};

const socketsOn = (port: number, pid: number | null): number =>
  listeningSockets(pid === null ? [] : [pid]).filter(({ address }) => address.port === port).length;

describe('`daemon stop --keep-workers` in the middle of a reload', () => {
  it('leaves it to the next daemon, and who waits for it hears of its end', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, { env: gates.env, ...PATIENT }));
    gates.shut('BOOT_GATE');
    const reloading = change(drover, ['reload', 'shop']);
    const id = await untilPhase(place, 'reload', 'booting');
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    gates.open('BOOT_GATE');
    const { code, receipt } = await reloading;
    assert.deepEqual([code, receipt.operation, receipt.outcome], [0, id, 'completed']);
  });
});

describe('`daemon stop`', () => {
  it('begins nothing new while it waits for who is still served, and leaves nobody behind', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, { instances: 1, env: gates.env, ...PATIENT }));
    const workers = pidsOf(await readApp(drover, 'shop'));
    const busy = await occupy(place, 1);
    const stopping = drover.run(['daemon', 'stop']);
    await untilPhase(place, 'stop', 'draining');
    const more = writeConfig(drover, { more: service(await freePort(), { instances: 1 }) }, 'more');
    for (const args of [
      ['start', more],
      ['reload', 'shop'],
      ['scale', 'shop', '2'],
      ['daemon', 'upgrade'],
    ])
      assert.equal((await drover.refusal(4, args)).code, 'DROVER_DAEMON_ENDING', args.join(' '));
    gates.open('ANSWER_GATE');
    assert.equal((await stopping).code, 0);
    assertAnswered(await busy.answers);
    assert.deepEqual(workers.filter(isAlive), []);
  });
});

describe('a daemon that is killed in the middle of', () => {
  for (const phase of ['booting', 'draining'] as const) {
    it(`a reload that is ${phase} goes on with it: nothing is lost, and every worker is replaced once`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const gates = gatesOf(place);
      await startApp(drover, 'shop', service(port, { instances: 3, env: gates.env, ...PATIENT }));
      const before = pidsOf(await readApp(drover, 'shop'));
      const load = await openLoads(port);
      const busy = phase === 'draining' ? await occupy(place, 3) : null;
      const { code, receipt } = await changeThroughDeath(place, gates, { args: ['reload', 'shop'], phase });
      assertAnswered((await busy?.answers) ?? []);
      assert.deepEqual([code, receipt.outcome], [0, 'completed']);
      assert.equal(receipt.requests.lost, 0);
      assert.ok(receipt.requests.served > 0, 'what was served is counted through the death');
      await load.end();
      const after = pidsOf(await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online'));
      assert.deepEqual([after.length, after.filter((pid) => before.includes(pid))], [3, []]);
      assert.equal((await readEvents(drover, 'shop', 'worker-spawned')).length, 6, 'nobody was started twice');
    });
  }

  it('a start goes on with it, with the workers that were booting', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    const file = writeConfig(drover, { shop: service(port, { instances: 3, env: gates.env }) }, 'shop');
    const { code, receipt } = await changeThroughDeath(place, gates, { args: ['start', file], phase: 'booting' });
    assert.deepEqual([code, receipt.outcome], [0, 'completed']);
    const app = await readApp(drover, 'shop');
    assert.equal(pidsOf(app).length, 3);
    // Of one that it had just started the daemon may have died before it could say so: then the next one has found it.
    const spawned = (await readEvents(drover, 'shop', 'worker-spawned')).map(({ worker }) => worker);
    const adopted = (await readEvents(drover, 'shop', 'worker-adopted')).map(({ worker }) => worker);
    assert.equal(new Set(spawned).size, spawned.length, 'nobody was started twice');
    assert.deepEqual(new Set([...spawned, ...adopted]), new Set(app.workers.map(({ id }) => id)));
  });

  it('a reload into a version that never gets ready still fails, and the old workers serve', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, PATIENT));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await openLoads(port);
    const broken = service(port, { script: fixture('never-listens.cjs'), ready: { timeout: '8s' }, ...PATIENT });
    const args = ['apply', writeConfig(drover, { shop: broken }, 'shop')];
    const { code, receipt } = await changeThroughDeath(place, gates, { args, kind: 'reload', phase: 'booting' });
    assert.deepEqual([code, receipt.outcome], [1, 'failed']);
    await load.end();
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
  });

  it('growing and shrinking goes on with it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, { instances: 2, env: gates.env, ...PATIENT }));
    const load = await openLoads(port);
    const grown = await changeThroughDeath(place, gates, { args: ['scale', 'shop', '4'], phase: 'booting' });
    assert.deepEqual([grown.code, grown.receipt.outcome], [0, 'completed']);
    // The guard may not have been told of the new sockets, and a worker that listened covered those that did not yet.
    const all = await untilApp(drover, 'shop', 'gives each worker its share', ({ workers }) => {
      return workers.every(({ weight }) => weight === 25) && workers.every(({ pid }) => socketsOn(port, pid) === 1);
    });
    assert.equal(readyWorkers(all).length, 4);
    const busy = await occupy(place, 4);
    const shrunk = await changeThroughDeath(place, gates, { args: ['scale', 'shop', '2'], phase: 'draining' });
    assert.deepEqual([shrunk.code, shrunk.receipt.outcome], [0, 'completed']);
    assertAnswered(await busy.answers);
    await load.end();
    const app = await untilApp(drover, 'shop', 'has two workers', ({ workers }) => workers.length === 2);
    assert.equal(app.instances, 2);
  });

  it('growing, before a guard has the sockets of the first new worker, goes on with it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const wish = join(drover.home, 'die-at');
    assert.equal((await drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: wish } })).code, 0);
    await startApp(drover, 'shop', service(port, { instances: 2, ...PATIENT }));
    const load = await openLoads(port);
    for (const instances of [4, 6]) {
      writeFileSync(wish, 'shop process-noted');
      const grown = await change(drover, ['scale', 'shop', String(instances)]);
      assert.deepEqual([grown.code, grown.receipt.outcome], [0, 'completed']);
      assert.ok(grown.receipt.steps.some(({ name }) => name === 'resumed'));
      // Each accepts on the socket that the kernel gives connections to.
      await untilAnswering(port, instances);
    }
    await load.end();
  });

  it('a restart goes on with it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, { env: gates.env }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const { code, receipt } = await changeThroughDeath(place, gates, { args: ['restart', 'shop'], phase: 'booting' });
    assert.deepEqual([code, receipt.outcome], [0, 'completed']);
    const after = pidsOf(await readApp(drover, 'shop'));
    assert.deepEqual([after.length, after.filter((pid) => before.includes(pid))], [2, []]);
  });

  for (const command of ['stop', 'delete'] as const) {
    it(`a ${command} goes on with it, and answers what had begun`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const gates = gatesOf(place);
      await startApp(drover, 'shop', service(port, { env: gates.env }));
      const busy = await occupy(place, 2);
      const { code, receipt } = await changeThroughDeath(place, gates, { args: [command, 'shop'], phase: 'draining' });
      assertAnswered(await busy.answers);
      assert.deepEqual([code, receipt.outcome], [0, 'completed']);
      if (command === 'stop') assert.equal((await readApp(drover, 'shop')).status, 'stopped');
      else assert.equal((await drover.run(['show', 'shop'])).code, 3, 'the app is gone');
    });
  }

  it('a reload, twice, goes on with it twice', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gates = gatesOf(place);
    await startApp(drover, 'shop', service(port, { env: gates.env }));
    const args = ['reload', 'shop'];
    const { code, receipt } = await changeThroughDeath(place, gates, { args, phase: 'booting', kills: 2 });
    assert.deepEqual([code, receipt.outcome], [0, 'completed']);
  });
});
