/** Whatever apps do with ports: late, several, again, random, every kind of address and protocol; all workers share them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  askSocket,
  change,
  fixture,
  openPlace,
  readApp,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  UNDECLARED,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';

describe('a port that is not declared', () => {
  it('is learned, shared by all workers, and kept over a reload', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', {
      script: fixture('service.cjs'),
      env: { PORT: String(port) },
      instances: 2,
      ...UNDECLARED,
    });
    await untilAnswering(port, 2);
    const [learned] = (await readApp(drover, 'shop')).ports;
    assert.deepEqual({ ...learned, host: null }, { host: null, port, protocol: 'http', declared: false });
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await untilAnswering(port, 2);
  });

  it('may be listened on late, after the worker counted as ready', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const env = { PORT: String(port), BOOT_GATE: join(drover.home, 'boot.gate') };
    // Without a time to hold it, so that the port is known as soon as it is there.
    const ready = { stableFor: 0 };
    await startApp(drover, 'shop', { script: fixture('service.cjs'), env, instances: 2, ready });
    assert.equal((await readApp(drover, 'shop')).ports.length, 0, 'it was ready before it listened');
    writeFileSync(env.BOOT_GATE, '');
    await eventually('it listens', async () => (await refusalAt(port)) === null);
    await untilAnswering(port, 2);
    await untilApp(drover, 'shop', 'has its port', ({ ports }) => ports.length === 1);
    // Now it is known to serve the port, and a replacement is not ready before it does.
    const { receipt } = await change(drover, ['reload', 'shop']);
    assert.equal(receipt.outcome, 'completed');
    assert.equal(await refusalAt(port), null);
    await untilAnswering(port, 2);
  });

  for (const [when, more] of [
    ['from its first line on', {}],
    ['after a turn of its loop', { AFTER_A_TURN: '1' }],
  ] as const) {
    it(`is served when the worker counts as ready that loads for longer than \`stableFor\` ${when}`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const env = { PORT: String(port), LOAD_MS: '1500', ...more };
      await startApp(drover, 'shop', {
        script: fixture('loads-long.cjs'),
        env,
        instances: 2,
        ready: { stableFor: '500ms' },
      });
      assert.equal((await readApp(drover, 'shop')).ports.length, 1);
      assert.equal((await ask(port)).status, 200);
    });
  }

  it('is not waited for where the event loop stands still for half of `ready.timeout`', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const env = { PORT: String(port), LOAD_MS: '600000' };
    const ready = { stableFor: '500ms', timeout: '4s' };
    await startApp(drover, 'shop', { script: fixture('loads-long.cjs'), env, ready, drain: { timeout: '100ms' } });
    assert.equal((await readApp(drover, 'shop')).status, 'online');
  });

  it('may be moved: the changed app serves the new port, and the old one is given up', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const other = await freePort();
    const script = fixture('service.cjs');
    const file = await startApp(drover, 'shop', { script, env: { PORT: String(port) }, ...UNDECLARED });
    assert.equal(await refusalAt(port), null);
    writeConfig(drover, { shop: { script, env: { PORT: String(other) }, ...UNDECLARED } }, 'shop');
    assert.equal((await drover.run(['apply', file])).code, 0);
    assert.equal(await refusalAt(other), null);
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });
});

describe('a port that is declared', () => {
  it('may be listened on late: the worker is not ready before it does', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', {
      script: fixture('listens-late.cjs'),
      env: { LATE_MS: '700' },
      port,
      instances: 2,
    });
    assert.equal((await ask(port)).status, 200);
  });
});

describe('a server', () => {
  it('that is closed and listens again serves on, and survives a reload', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', { script: fixture('listens-again.cjs'), port, instances: 2 });
    const pids = await untilAnswering(port, 2);
    // While no worker listens clients are refused, as they would be without Drover.
    for (let round = 0; round < 6; round++)
      await eventually('it closes once more', async () => (await ask(port, '/again')).status === 200);
    await eventually('it listens again', async () => Number((await ask(port, '/rounds')).body) > 1);
    assert.deepEqual(await untilAnswering(port, 2), pids, 'the same workers');
    assert.equal((await readApp(drover, 'shop')).status, 'online');
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await untilAnswering(port, 2);
  });

  it('on port 0 gets one random port, the same for all workers and after a reload; the second gets another', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', { script: fixture('random-ports.cjs'), instances: 2 });
    const { ports } = await untilApp(drover, 'shop', 'has two ports', (app) => app.ports.length === 2);
    const [first = 0, second = 0] = ports.map(({ port }) => port ?? 0);
    assert.notEqual(first, second);
    const look = async (): Promise<Set<string>> => {
      const seen = new Set<string>();
      await eventually('both workers answer', async () => seen.add((await ask(first)).body).size === 2);
      return seen;
    };
    const before = await look();
    const portsOf = (answers: Set<string>): Set<string> =>
      new Set([...answers].map((line) => line.replace(/^\d+ /, '')));
    assert.equal(portsOf(before).size, 1, 'every worker knows the same two ports');
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    const after = await look();
    assert.deepEqual(portsOf(after), portsOf(before));
    assert.equal(new Set([...before, ...after]).size, 4, 'the workers are others');
  });
});

describe('an address', () => {
  for (const { host, reached, missed } of [
    { host: '127.0.0.1', reached: ['127.0.0.1'], missed: ['::1', '127.0.0.2'] },
    { host: '0.0.0.0', reached: ['127.0.0.1', '127.0.0.2'], missed: ['::1'] },
    { host: '::', reached: ['127.0.0.1', '::1'], missed: [] },
    { host: '::1', reached: ['::1'], missed: ['127.0.0.1'] },
  ]) {
    it(`${host} is served by all workers, and nothing else is`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', service(port, { env: { HOST: host } }));
      for (const one of reached) await untilAnswering(port, 2, one);
      for (const one of missed) assert.equal(await refusalAt(port, one), 'ECONNREFUSED', one);
      assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
      for (const one of reached) await untilAnswering(port, 2, one);
    });
  }

  it('that is a Unix path is shared, outlives a reload and a killed worker, and goes with the app', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const path = join(drover.home, 'shop.sock');
    await startApp(drover, 'shop', {
      script: fixture('service.cjs'),
      env: { PORT: path },
      instances: 2,
      ...UNDECLARED,
    });
    const before = new Set<string>();
    await eventually('both workers answer', async () => before.add((await askSocket(path)).body).size === 2);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    const pid = Number((await askSocket(path)).body);
    assert.ok(!before.has(String(pid)));
    process.kill(pid, 'SIGKILL');
    assert.equal((await askSocket(path)).status, 200);
    await untilApp(drover, 'shop', 'has two workers', (app) => readyWorkers(app).length === 2);
    await change(drover, ['stop', 'shop']);
    await eventually('the path is gone', () => !existsSync(path));
  });
});

describe('the servers of one app', () => {
  it('that is a relative Unix path is the worker’s, not the daemon’s', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', { script: fixture('service.cjs'), env: { PORT: 'shop.sock' } });
    assert.equal((await askSocket(join(drover.home, 'shop', 'shop.sock'))).status, 200);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    assert.equal((await askSocket(join(drover.home, 'shop', 'shop.sock'))).status, 200);
    assert.equal(existsSync(join(drover.home, 'shop.sock')), false);
  });

  it('https, http2, plain TCP and a Unix path at once are served, also after a reload', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const [https, http2, tcp] = [await freePort(), await freePort(), await freePort()];
    const unix = join(drover.home, 'many.sock');
    const env = { HTTPS: String(https), HTTP2S: String(http2), TCP: String(tcp), UNIX: unix };
    const script = fixture('many-servers.mjs');
    await startApp(drover, 'shop', { script, env, port: [https, http2, tcp], instances: 2 });
    for (let round = 0; round < 2; round++) {
      assert.equal(await askHttps(https), 'hello\n');
      assert.equal(await askHttp2(http2), 'hello\n');
      assert.equal(await echo(tcp), 'ping');
      assert.equal((await askSocket(unix)).body, 'hello\n');
      if (round === 0) assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    }
    const { ports } = await readApp(drover, 'shop');
    const protocols = new Map(ports.map(({ host, port, protocol }) => [port ?? host, protocol]));
    assert.deepEqual(
      [https, http2, tcp, unix].map((key) => protocols.get(key)),
      ['https', 'http2', 'tcp', 'unix'],
    );
  });
});

async function askHttps(port: number): Promise<string> {
  const sent = requestHttps({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return text(response);
}

async function askHttp2(port: number): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  try {
    return await text(session.request({ ':path': '/' }));
  } finally {
    session.close();
  }
}

async function echo(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end('ping');
  return text(socket);
}
