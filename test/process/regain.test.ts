/**
 * A daemon that comes back has its sockets and channels from the guard that kept them, or else from the workers. Each
 * way is forced: by a sandbox in which nothing can be taken from workers, or by a guard that dies with its daemon. From
 * systemd's store: `test/boot/service-manager.test.ts`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { endTogether } from '../support/daemon-deaths.ts';
import { COMMAND, type Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { listSockets } from '../support/processes.ts';
import { listShards } from '../support/shards.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  change,
  openPlace,
  PATIENT,
  type Place,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';

/** Starts a daemon that can take no descriptor from another process, nor can whoever brings it back. */
const startInSandbox = async (drover: Drover): Promise<void> => {
  const sandbox = join(import.meta.dirname, '..', 'support', 'without-getfd.ts');
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;
  const [program, ...args] = [...node, sandbox, process.execPath, COMMAND, 'daemon', 'start'];
  await promisify(execFile)(program, args, { env: drover.environment(), cwd: drover.home });
};

const WORKERS = 3;
const PATIENTLY = { withinMs: 40_000, everyMs: 200 };
const isOnline = ({ status }: { readonly status: string }): boolean => status === 'online';

const startShop = async ({ drover, port }: Place): Promise<readonly number[]> => {
  await startApp(drover, 'shop', service(port, { instances: WORKERS, ...PATIENT }));
  return pidsOf(await readApp(drover, 'shop'));
};

/** Under load from before `die` until after a reload by the next daemon: returns what that told about its sockets. */
const surviveUnderLoad = async (place: Place, die: () => Promise<unknown>): Promise<readonly string[]> => {
  const { drover, port } = place;
  const before = pidsOf(await readApp(drover, 'shop'));
  const loads = await Promise.all([
    startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
    startLoad({ mode: 'kept', port, connections: 5, pauseMs: [5, 20] }),
  ]);
  const serve = async (): Promise<unknown> => Promise.all(loads.map(async (load) => load.untilAnswered(100)));
  await serve();
  await die();
  await serve();
  assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before, 'the same workers');
  // Channel and shards are of use: workers are replaced on the same sockets, and the kernel is told of it.
  const { receipt } = await change(drover, ['reload', 'shop']);
  assert.deepEqual([receipt.outcome, receipt.requests.lost], ['completed', 0]);
  await serve();
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  assert.deepEqual(
    reports.map(({ lostByReason }) => lostByReason),
    [{}, {}],
  );
  return (await readEvents(drover, 'shop', 'descriptors-regained')).map(({ reason }) => reason ?? '');
};

describe('a daemon that comes back', () => {
  it('has everything from the guard, where workers cannot be asked for it', async () => {
    await using place = await openPlace();
    await startInSandbox(place.drover);
    await startShop(place);
    const told = await surviveUnderLoad(place, async () => place.drover.killDaemon());
    assert.deepEqual(told, ['3 sockets and 3 channels from the guard']);
  });

  it('has everything from the workers, where the guard died with the one before', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startShop(place);
    const told = await surviveUnderLoad(place, async () => {
      await endTogether(drover);
      assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    });
    assert.deepEqual(told, ['3 sockets and 3 channels from the workers themselves']);
  });

  it('has none where the guard died and workers cannot be asked: they serve on, and are moved onto sockets of its own', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startInSandbox(drover);
    await startShop(place);
    const quietPort = await freePort();
    await startApp(drover, 'quiet', service(quietPort, { instances: 1 }));
    const quiet = pidsOf(await readApp(drover, 'quiet'));
    const moved = async (app: string): Promise<number> =>
      (await readEvents(drover, app, 'descriptors-regained')).filter(({ worker }) => worker !== undefined).length;
    const told = await surviveUnderLoad(place, async () => {
      await endTogether(drover);
      await startInSandbox(drover);
      await eventually('all were moved', async () => (await moved('shop')) === WORKERS, PATIENTLY);
    });
    assert.match(told[0] ?? '', /^1 socket and 3 channels could not be had: nothing kept them/);
    // An idle worker says something only every ten seconds, and that is when it notices.
    await eventually('the idle one was moved', async () => (await moved('quiet')) === 1, PATIENTLY);
    assert.equal(Number((await ask(quietPort)).body), quiet[0]);
    assert.equal((await change(drover, ['reload', 'quiet'])).receipt.outcome, 'completed');
    assert.deepEqual(await readEvents(drover, 'quiet', 'worker-hung'), []);
    assert.equal(await refusalAt(port), null);
  });

  it('replaces a worker that crashes before it is spoken to again, beside the others', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startInSandbox(drover);
    const [victim = 0] = await startShop(place);
    await endTogether(drover);
    await startInSandbox(drover);
    process.kill(victim, 'SIGKILL');
    await untilApp(drover, 'shop', 'has three workers', (app) => {
      const ready = readyWorkers(app);
      return ready.length === WORKERS && ready.every(({ pid }) => pid !== victim);
    });
    await untilAnswering(port, WORKERS);
  });

  it('keeps what it took from the workers by a guard of its own, for the next one', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startShop(place);
    await endTogether(drover);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await untilApp(drover, 'shop', 'is online', isOnline);
    // A guard hears of what there is a moment later.
    await eventually('the guard has the sockets', async () => {
      const kept = listSockets((await drover.daemon()).guardPid ?? 0);
      return listShards(port).every((inode) => kept.includes(inode));
    });
    await drover.killDaemon();
    await untilApp(drover, 'shop', 'is online', isOnline);
    assert.equal((await ask(port)).status, 200);
    assert.deepEqual(
      (await readEvents(drover, 'shop', 'descriptors-regained')).map(({ reason }) => reason),
      ['3 sockets and 3 channels from the workers themselves', '3 sockets and 3 channels from the guard'],
    );
  });
});
