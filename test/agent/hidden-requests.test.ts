/** Requests that the agent counts, on connections that it does not find when it looks at what is open. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker, type Shard } from './support/fake-daemon.ts';
import { get } from './support/get.ts';
import { GET, RawClient } from './support/raw-client.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/hides-its-sockets.cjs');

async function start(daemon: FakeDaemon, node: string): Promise<{ worker: FakeWorker; port: number; shard: Shard }> {
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
  const worker = await daemon.start({ app: APP, node, shards: [shard], env: { PORT: String(port) } });
  await worker.said('listening');
  return { worker, port, shard };
}

underEachNode('A request in flight', ({ path: node }) => {
  it("on a socket that the app has unref'ed is waited for", async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const body = get({ port }, '/late');
    await worker.printed('asked /late');
    await worker.drain();
    assert.equal(await body, 'late');
    const { summary, report } = await worker.said('drained');
    assert.equal(summary.cutRequests, 0);
    assert.deepEqual([report.counters.served, report.counters.lost], [1, 0]);
  });

  it('on a connection that the app has made itself is waited for', async () => {
    await using daemon = await openFakeDaemon();
    const relay = createServer().listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const connected = once(relay, 'connection');
    const { port } = relay.address() as AddressInfo;
    const worker = await daemon.start({ app: APP, node, env: { RELAY: String(port) } });
    const [socket] = (await connected) as [Socket];
    relay.close();
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => (received += text));
    socket.on('error', () => socket.destroy());
    socket.write(GET('/late'));
    await worker.printed('asked /late');
    const closed = once(socket, 'close');
    await worker.drain();
    const { report } = await worker.said('drained');
    assert.deepEqual([report.counters.served, report.counters.lost], [1, 0]);
    await closed;
    assert.match(received, /late$/);
  });

  it('there is lost at the deadline', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const client = new RawClient(port, GET('/never'));
    await worker.printed('asked /never');
    await worker.drain({ timeoutMs: 300 });
    const { summary, report } = await worker.said('drained');
    assert.equal(summary.cutRequests, 1);
    assert.deepEqual([report.counters.lost, report.counters.aborted], [1, 0]);
    await client.ends();
  });

  it('of a probe, or of a client that has left, holds no drain', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port, shard } = await start(daemon, node);
    const client = new RawClient(port, GET('/left'));
    const probe = connect(shard.privatePath, () => probe.write(GET('/probed')));
    probe.on('error', () => probe.destroy());
    await worker.printed('asked /left');
    await worker.printed('asked /probed');
    client.socket.destroy();
    // Longer than `said` waits.
    await worker.drain({ timeoutMs: 60_000 });
    const { report } = await worker.said('drained');
    assert.deepEqual([report.counters.aborted, report.counters.lost, report.runtime.inFlight], [1, 0, 0]);
    probe.destroy();
  });
});
