/** `config check` lists what is no plain data like every other problem. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openHarness } from './harness.ts';

describe('`config check` of a file that exports what JSON cannot say', () => {
  it('lists each of them', async () => {
    await using harness = await openHarness();
    const text = `export default { apps: { shop: { script: () => {}, port: Infinity, env: { A: new Date(0) } } } };`;
    writeFileSync(join(harness.directory, 'drover.config.mjs'), text);
    const { code, out, err } = await harness.drover('config', 'check', '--json');
    assert.deepEqual([code, err], [2, '']);
    const { valid, errors } = JSON.parse(out) as { valid: boolean; errors: { path: string; message: string }[] };
    assert.equal(valid, false);
    assert.deepEqual(
      errors.map(({ path, message }) => `${path} ${message}`),
      [
        'apps.shop.script must be plain data, not a function',
        'apps.shop.port must be a finite number',
        'apps.shop.env.A must be plain data, not a Date',
      ],
    );
    const told = await harness.drover('config', 'check');
    assert.equal(told.code, 2);
    assert.equal(told.out.split('\n').length, 3);
  });
});
