import { createServer } from 'node:http';
import { once } from 'node:events';
import { Pool } from 'undici';

const upstream = createServer((req, res) => res.end(JSON.stringify({ host: req.headers.host }))).listen(0, '127.0.0.1');
await once(upstream, 'listening');
upstream.unref();

const pools = new Map();

function poolOf(tenant) {
  const key = `tenant:${tenant}`;
  if (!pools.has(key))
    pools.set(
      key,
      new Pool(`http://127.0.0.1:${upstream.address().port}`, { connections: 1, pipelining: 1, keepAliveTimeout: 1 }),
    );
  return pools.get(key);
}

export async function ping(n) {
  const { body } = await poolOf(n).request({ path: '/ping', method: 'GET' });
  return (await body.json()).host;
}
