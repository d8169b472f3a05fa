/** A daemon that dies between the end of a scaling and what follows from it leaves no shard that nobody serves. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { listShards } from '../support/shards.ts';
import { change, openPlace, PATIENT, pidsOf, readApp, service, startApp } from '../support/service.ts';

describe('a daemon that is killed when a scaling has just ended', () => {
  it('is followed by one that gives up the shard of the slot that is gone', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const dieAt = join(drover.home, 'die-at');
    await drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: dieAt } });
    await startApp(drover, 'shop', service(port, { instances: 3, ...PATIENT }));
    assert.equal(listShards(port).length, 3);
    const { pid } = await drover.daemon();
    writeFileSync(dieAt, 'shop operation-ended');
    assert.equal((await change(drover, ['scale', 'shop', '2'])).receipt.outcome, 'completed');
    await eventually('another daemon answers', async () => (await drover.daemon()).pid !== pid);
    await eventually('it has two shards', () => listShards(port).length === 2);
    assert.equal(pidsOf(await readApp(drover, 'shop')).length, 2);
  });
});
