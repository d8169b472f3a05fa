/**
 * A daemon that dies at the very end of a change leaves no shard that nobody serves, and the next one, which ends the
 * change before it has heard of any worker, closes no port.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { change, openPlace, PATIENT, pidsOf, readApp, service, startApp } from '../support/service.ts';
import { listShards } from '../support/shards.ts';

describe('a daemon that is killed when a scaling ends', () => {
  for (const step of ['operation-ending', 'operation-ended', 'operation-settled'])
    it(`at ${step}, is followed by one that serves on, on as many shards as there are slots`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const dieAt = join(drover.home, 'die-at');
      await drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: dieAt } });
      await startApp(drover, 'shop', service(port, { instances: 3, ...PATIENT }));
      assert.equal(listShards(port).length, 3);
      const load = await startLoad({ mode: 'new', port, connections: 2, pauseMs: [5, 20] });
      await load.untilAnswered(20);
      const { pid } = await drover.daemon();
      writeFileSync(dieAt, `shop ${step}`);
      assert.equal((await change(drover, ['scale', 'shop', '2'])).receipt.outcome, 'completed');
      await eventually('another daemon answers', async () => (await drover.daemon()).pid !== pid);
      await eventually('it has two shards', () => listShards(port).length === 2);
      assert.equal(pidsOf(await readApp(drover, 'shop')).length, 2);
      await load.untilAnswered(50);
      assert.deepEqual((await load.stop()).lostByReason, {});
    });
});
