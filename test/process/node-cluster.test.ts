/** An app that is a node:cluster of its own: its forks have the connections, and are drained and counted as one worker. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLoad } from '../support/load/index.ts';
import { isAlive, listTree } from '../support/processes.ts';
import { change, fixture, openPlace, PATIENT, pidsOf, readApp, type Settings, startApp } from '../support/service.ts';

const CLUSTERS = fixture('clusters.cjs');

for (const [name, program] of [
  ['started as a script', { script: CLUSTERS }],
  ['behind a wrapper', { command: ['sh', fixture('traps-and-forks.sh'), 'node', CLUSTERS] }],
] satisfies readonly [string, Settings][]) {
  describe(`a node:cluster of the app's own, ${name}`, () => {
    it('is reloaded under load without loss, and its requests are counted', async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', { ...program, port, instances: 2, ...PATIENT });
      const before = pidsOf(await readApp(drover, 'shop')).flatMap(listTree);
      const loads = [
        await startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] }),
        await startLoad({ mode: 'kept', port, connections: 8, pauseMs: [5, 20] }),
      ];
      const untilMore = async (): Promise<unknown> => Promise.all(loads.map(async (load) => load.untilAnswered(100)));
      await untilMore();
      const { receipt } = await change(drover, ['reload', 'shop']);
      await untilMore();
      assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
      assert.ok(receipt.requests.served > 0, 'those that the forks served');
      assert.equal(receipt.requests.lost, 0);
      for (const { lost, lostByReason } of await Promise.all(loads.map(async (load) => load.stop()))) {
        assert.equal(lost, 0, JSON.stringify(lostByReason));
      }
      assert.deepEqual(before.filter(isAlive), []);
    });
  });
}
