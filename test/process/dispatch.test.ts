/** The three ways of sharing a port, each forced: the same service to the outside. And sticky clients. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeDispatch } from '../../src/os/index.ts';
import { startLoad } from '../support/load/index.ts';
import {
  ask,
  change,
  openPlace,
  pidsOf,
  readApp,
  service,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';

const possible = probeDispatch();

/** What cannot be forced here is said, not passed over. */
const skipUnless = (level: string): string | false =>
  level === 'exact' && possible.level !== 'exact' ? `this host allows ${possible.level}: ${possible.reason}` : false;

describe('dispatch level', () => {
  for (const level of ['exact', 'classic', 'shared'] as const) {
    it(
      `${level} serves by all workers, through a reload, a crash and the daemon’s death`,
      { skip: skipUnless(level) },
      async () => {
        await using place = await openPlace();
        const { drover, port } = place;
        await drover.run(['daemon', 'start'], { env: { DROVER_DISPATCH: level } });
        assert.equal((await drover.daemon()).dispatch, level);
        await startApp(drover, 'shop', service(port, { instances: 3 }));
        await untilAnswering(port, 3);
        const load = await startLoad({ mode: 'new', port, connections: 6, pauseMs: [5, 20] });
        await load.untilAnswered(50);
        const { receipt } = await change(drover, ['reload', 'shop']);
        assert.equal(receipt.outcome, 'completed');
        assert.equal(receipt.requests.lost, 0);
        const before = pidsOf(await readApp(drover, 'shop'));
        await drover.killDaemon();
        assert.equal((await drover.daemon()).dispatch, level, 'the next daemon keeps to it');
        const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
        assert.deepEqual(pidsOf(app), before);
        await load.untilAnswered(50);
        const report = await load.stop();
        assert.deepEqual(report.lostByReason, {});
        process.kill(before[0] ?? 0, 'SIGKILL');
        await untilApp(
          drover,
          'shop',
          'is online',
          ({ status, workers }) => status === 'online' && !workers.some(({ pid }) => pid === before[0]),
        );
        await untilAnswering(port, 3);
      },
    );
  }
});

describe('sticky', () => {
  for (const level of ['exact', 'classic'] as const) {
    it(
      `keeps each client address on one slot, also over a reload (${level})`,
      { skip: skipUnless(level) },
      async () => {
        await using place = await openPlace();
        const { drover, port } = place;
        await drover.run(['daemon', 'start'], { env: { DROVER_DISPATCH: level } });
        await startApp(drover, 'shop', service(port, { instances: 3, sticky: true, env: { HOST: '0.0.0.0' } }));
        const addresses = Array.from({ length: 12 }, (_, index) => `127.0.0.${index + 1}`);
        const slotOf = async (from: string): Promise<string> => (await ask(port, '/env/DROVER_SLOT', { from })).body;
        const slots = new Map<string, string>();
        for (const address of addresses) slots.set(address, await slotOf(address));
        assert.ok(new Set(slots.values()).size > 1, 'different clients go to different workers');
        for (const address of addresses) assert.equal(await slotOf(address), slots.get(address), address);
        assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
        for (const address of addresses)
          assert.equal(await slotOf(address), slots.get(address), `${address} after the reload`);
      },
    );
  }
});
