/** `examples/health`, as its README walks through it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';

const SERVER = join(import.meta.dirname, '..', '..', 'examples', 'health', 'server.js');

describe('The shop that says how it is', () => {
  it('serves from its cache while the database is away, and is well again afterwards', async () => {
    const port = await freePort();
    const { NODE_TEST_CONTEXT: _outer, ...env } = process.env;
    const shop = spawn(process.execPath, [SERVER], { env: { ...env, PORT: String(port) }, stdio: 'ignore' });
    const exited = new Promise<number | null>((resolve) => shop.once('exit', resolve));
    const ask = async (path: string, method = 'GET'): Promise<{ status: number; text: string }> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { connection: 'close' } });
      return { status: response.status, text: await response.text() };
    };
    const becomes = async (status: number): Promise<boolean> =>
      eventually(`/health/ready answers ${status}`, async () => (await ask('/health/ready')).status === status);
    try {
      await becomes(200);
      assert.equal((await ask('/products/1')).status, 200);
      await ask('/database/down', 'POST');
      await becomes(503);
      assert.equal((await ask('/health/live')).status, 200);
      assert.equal((await ask('/products/1')).status, 200, 'it knows this one');
      assert.equal((await ask('/products/2')).status, 503);
      assert.equal((await ask('/orders', 'POST')).status, 503);
      await ask('/database/up', 'POST');
      await becomes(200);
      assert.equal((await ask('/products/2')).status, 200);
      assert.match((await ask('/metrics')).text, /^shop_orders_total\{outcome="refused"\} 1$/m);
    } finally {
      shop.kill('SIGTERM');
    }
    assert.equal(await exited, 0);
  });
});
