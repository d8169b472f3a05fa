/** What agents count while there is no daemon is not lost, nor counted twice: exact, against what clients counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { join } from 'node:path';
import { endTogether } from '../support/daemon-deaths.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import {
  ask,
  askSocket,
  fixture,
  openPlace,
  PATIENT,
  pidsOf,
  readApp,
  readEvents,
  service,
  startApp,
  untilApp,
} from '../support/service.ts';

const WORKERS = 3;
/** At most four hundred a second are asked for, by four clients that pause for 10 ms each. */
const FOR_SECONDS = 2400;

/** What the daemon has heard of from all workers; null while it has not heard of each. */
const readServed = async (drover: Drover, workers = WORKERS): Promise<number | null> => {
  const { body } = await askSocket(join(drover.home, 'drover.sock'), '/metrics');
  const counts = [...body.matchAll(/^drover_requests_served_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.length === workers ? counts.reduce((sum, count) => sum + count, 0) : null;
};

describe('requests that are served over the deaths of daemons', () => {
  it('are counted exactly, also those of the time without one', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: WORKERS, ...PATIENT }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const loads = await Promise.all([
      startLoad({ mode: 'new', port, connections: 4, pauseMs: [10, 10] }),
      startLoad({ mode: 'kept', port, connections: 4, pauseMs: [10, 10] }),
    ]);
    const serve = async (): Promise<unknown> => Promise.all(loads.map(async (load) => load.untilAnswered(200)));
    await serve();
    await drover.killDaemon();
    await serve();
    await drover.killDaemon();
    // And one that is gone for as long as it takes to serve several hundred.
    await endTogether(drover);
    await serve();
    await serve();
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await serve();
    // One that is frozen for so long that agents look for another one, and then goes on.
    const { pid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGSTOP');
    await Promise.all(loads.map(async (load) => load.untilAnswered(FOR_SECONDS)));
    process.kill(pid ?? 0, 'SIGCONT');
    await serve();
    const reports = await Promise.all(loads.map(async (load) => load.stop()));
    assert.deepEqual(
      reports.map(({ lostByReason }) => lostByReason),
      [{}, {}],
    );
    const answered = reports.reduce((sum, report) => sum + report.answered, 0);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online')), before);
    await eventually(
      'the daemon has heard of every request',
      async () => {
        const served = await readServed(drover);
        assert.ok(served === null || served <= answered, `${served} were counted, ${answered} were answered`);
        return served === answered;
      },
      { withinMs: 20_000 },
    );
    // What was reported to a dead daemon and is reported again is the same number, also in a receipt that begins now.
    const { requests } = await drover.reload('shop');
    assert.deepEqual([requests.served, requests.lost, requests.unknown], [0, 0, 0]);
    const troubles = (await readEvents(drover, 'shop')).filter(
      ({ type }) => type === 'worker-hung' || type === 'defect',
    );
    assert.deepEqual(troubles, []);
  });
});

describe('a wrapper that starts its server anew whenever that ends', () => {
  it('is one worker still, which has served what all of its servers have', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const command = ['sh', fixture('runs-again.sh'), 'node', fixture('service.cjs')];
    await startApp(drover, 'shop', { command, port, ...PATIENT });
    const wrapper = pidsOf(await readApp(drover, 'shop'));
    const servers = new Set<string>();
    const serve = async (count: number): Promise<void> => {
      for (let request = 0; request < count; request++) servers.add((await ask(port)).body);
    };
    let served = 0;
    for (const count of [20, 7, 3]) {
      // The first one waits in the queue of the socket until there is a server again.
      await serve(count);
      served += count;
      await eventually(`${served} are counted`, async () => {
        const heard = (await readServed(drover, 1)) ?? 0;
        assert.ok(heard <= served, `${heard} were counted, ${served} were answered`);
        return heard === served;
      });
      process.kill(Number([...servers].at(-1)), 'SIGKILL');
    }
    assert.equal(servers.size, 3);
    await serve(1);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), wrapper);
    assert.deepEqual(
      (await readEvents(drover, 'shop')).filter(({ type }) => type === 'worker-exited'),
      [],
    );
    const { requests } = await drover.reload('shop');
    assert.deepEqual([requests.served, requests.lost, requests.unknown], [0, 0, 0]);
  });
});
