/** A probe reaches one worker alone, through the private socket that its real agent serves, and is nobody's traffic. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import type { ProbeResult } from '../../src/probes/index.ts';
import type { ListenAddress, ProbeTarget } from '../../src/protocol/index.ts';
import { type FakeWorker, openFakeDaemon, type Shard } from '../agent/support/fake-daemon.ts';
import { get } from '../agent/support/get.ts';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { freePort } from '../support/temporary.ts';
import { ask } from './support/ask.ts';
import { http, tcp } from './support/servers.ts';

const APPS = join(import.meta.dirname, 'apps');
const PEM = join(import.meta.dirname, '..', 'fixtures', 'localhost.pem');

const dualStack = (port: number): ListenAddress => ({ kind: 'tcp', host: '::', port, v6only: false });

/** The answer of the worker behind `shard`. */
const probeWorker = (target: ProbeTarget, { privatePath, address }: Shard, timeoutMs = 10_000): Promise<ProbeResult> =>
  ask(target, { timeoutMs }, { privateSocket: () => privatePath, address: () => address });

/** Counters of a report that was made after everything that has happened up to now. */
const count = async (worker: FakeWorker): Promise<{ readonly begun: number; readonly connections: number }> => {
  worker.send({ type: 'report-now', id: 7 });
  const { report } = await worker.said('report', ({ replyTo }) => replyTo === 7);
  return report.counters;
};

underEachNode('A probe through the private socket of a worker', ({ path: node }) => {
  for (const module of ['cjs', 'mjs']) {
    for (const scheme of ['http', 'https'] as const) {
      it(`is answered by an ${scheme} app (${module}) before it serves, and is not counted as traffic`, async () => {
        await using daemon = await openFakeDaemon();
        const port = await freePort();
        const shard = daemon.shard(dualStack(port));
        const worker = await daemon.start({
          app: join(APPS, `${scheme}.${module}`),
          node,
          shards: [shard],
          env: { PORT: String(port), PEM },
          acceptAtOnce: false,
        });
        await worker.said('listening');
        const good = await probeWorker(http(null, { scheme }), shard);
        assert.deepEqual([good.outcome, good.error], ['pass', null]);
        const bad = await probeWorker(http(port, { scheme, path: '/broken' }), shard);
        assert.equal(bad.error, `it answered 500: [::1]:${port} /broken`);
        worker.send({ type: 'accept' });
        await get({ port, tls: scheme === 'https' });
        const { begun, connections } = await count(worker);
        assert.deepEqual([begun, connections], [1, 1], 'the request of the client alone');
      });
    }

    it(`is answered by a tcp app (${module}), and is not counted as a connection`, async () => {
      await using daemon = await openFakeDaemon();
      const port = await freePort();
      const shard = daemon.shard(dualStack(port));
      const env = { PORT: String(port) };
      const worker = await daemon.start({ app: join(APPS, `tcp.${module}`), node, shards: [shard], env });
      await worker.said('listening');
      assert.equal((await probeWorker(tcp(null), shard)).outcome, 'pass');
      const client = connect(port, '127.0.0.1');
      client.write('x');
      await once(client, 'data');
      client.destroy();
      assert.equal((await count(worker)).connections, 1);
    });
  }

  it('fails while the worker is stopped, and passes when it goes on', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const env = { PORT: String(port) };
    const worker = await daemon.start({ app: join(APPS, 'http.cjs'), node, shards: [shard], env });
    await worker.said('listening');
    process.kill(worker.pid, 'SIGSTOP');
    const { error } = await probeWorker(http(null), shard, 300);
    assert.equal(error, 'it took the connection and did not answer within 300 ms');
    process.kill(worker.pid, 'SIGCONT');
    assert.equal((await probeWorker(http(null), shard)).outcome, 'pass');
  });

  it('fails where the app itself hangs', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const env = { PORT: String(port) };
    const worker = await daemon.start({ app: join(APPS, 'http.mjs'), node, shards: [shard], env });
    await worker.said('listening');
    assert.equal((await probeWorker(http(null, { path: '/hang' }), shard, 300)).outcome, 'fail');
  });
});
