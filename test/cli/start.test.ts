/** What `start` and `apply` do to what is there already. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Harness, openHarness } from './harness.ts';

const writeConfig = ({ directory }: Harness, instances: number, quota: string): void => {
  writeFileSync(join(directory, 'server.js'), '');
  const apps = { shop: { script: 'server.js', instances } };
  writeFileSync(join(directory, 'drover.config.json'), JSON.stringify({ apps, daemon: { logs: { quota } } }));
};

const configured = ({ service }: Harness): number =>
  service.calls.filter((call) => call.startsWith('configure')).length;

describe('the settings of the daemon in a configuration', () => {
  it('are left alone by a `start` that is refused', async () => {
    await using harness = await openHarness();
    writeConfig(harness, 1, '2GB');
    assert.equal((await harness.drover('start')).code, 0);
    assert.equal(configured(harness), 1);
    writeConfig(harness, 2, '1MB');
    assert.equal((await harness.drover('start')).code, 2);
    assert.equal(configured(harness), 1);
  });

  it('are left alone by an `apply` that is refused, and changed by one without other changes', async () => {
    await using harness = await openHarness();
    writeConfig(harness, 1, '2GB');
    const { apply } = harness.service;
    const { DroverError } = await import('../../src/protocol/index.ts');
    harness.service.apply = async () => {
      throw new DroverError('DROVER_BUSY', { app: 'shop', kind: 'reload', operation: 'op-1' });
    };
    assert.notEqual((await harness.drover('apply')).code, 0);
    assert.equal(configured(harness), 0);
    harness.service.apply = apply;
    assert.equal((await harness.drover('apply')).code, 0);
    assert.equal((await harness.drover('apply')).code, 0);
    assert.equal(configured(harness), 2);
  });
});
