/** Whose health is asked for: everybody's, an app's, a worker's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HealthDocument } from '../../src/protocol/index.ts';
import { Illness, illService } from '../support/health.ts';
import { openPlace, startApp } from '../support/service.ts';

describe('drover health', () => {
  it('tells of all, of an app or of a worker, and refuses what there is not', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', illService(port, new Illness(drover), { instances: 2 }));
    const workersOf = async (...target: string[]): Promise<string[]> => {
      const { apps } = await drover.json<HealthDocument>(['health', ...target]);
      return apps.flatMap(({ workers }) => workers.map(({ id }) => id));
    };
    assert.deepEqual(await workersOf(), ['shop/0', 'shop/1']);
    assert.deepEqual(await workersOf('all'), ['shop/0', 'shop/1']);
    assert.deepEqual(await workersOf('shop'), ['shop/0', 'shop/1']);
    assert.deepEqual(await workersOf('shop/1'), ['shop/1']);
    assert.equal((await drover.refusal(3, ['health', 'shop/7'])).code, 'DROVER_WORKER_UNKNOWN');
  });
});
