/** Connections that leave HTTP while their worker drains. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { GET, RawClient, UPGRADE } from './support/raw-client.ts';
import { underEachNode } from './support/under-each-node.ts';

const APPS = join(import.meta.dirname, '../fixtures/apps');

const upgradeOf = (path: string): string => UPGRADE.replace('GET /', `GET ${path}`);
const HANDSHAKE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
/** Close, 1012, as a server writes it, and the client's answer. */
const CLOSE = Buffer.from([0x88, 0x02, 0x03, 0xf4]);
const CLOSE_ANSWER = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4]);

async function start(daemon: FakeDaemon, node: string): Promise<{ worker: FakeWorker; port: number }> {
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
  const app = join(APPS, 'upgrades-when-told.cjs');
  const worker = await daemon.start({ app, node, shards: [shard], env: { PORT: String(port) } });
  await worker.said('listening');
  return { worker, port };
}

const agree = (worker: FakeWorker, path: string): void => worker.send({ type: 'message', payload: path });

async function open(worker: FakeWorker, port: number, path: string): Promise<RawClient> {
  const client = new RawClient(port, upgradeOf(path));
  await worker.printed(`asked ${path}`);
  agree(worker, path);
  await client.gets(HANDSHAKE);
  return client;
}

/** Waits until a WebSocket was asked to close, and hangs up. */
async function closeAfterFrame(client: RawClient): Promise<void> {
  await eventually('a close frame', () => client.received.includes(CLOSE));
  client.socket.end(CLOSE_ANSWER);
  await client.ends();
}

underEachNode('An upgrade', ({ path: node }) => {
  it('that the app still decides on when a drain begins is answered first, and closed then', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const undecided = new RawClient(port, upgradeOf('/undecided'));
    await worker.printed('asked /undecided');
    const other = await open(worker, port, '/other');
    await worker.drain({ websocketSpreadMs: 0 });
    // The other one came first, and would have been closed first.
    await closeAfterFrame(other);
    assert.equal(undecided.received.toString('latin1'), '');
    agree(worker, '/undecided');
    await closeAfterFrame(undecided);
    assert.equal(undecided.received.toString('latin1'), HANDSHAKE + CLOSE.toString('latin1'));
    const { summary } = await worker.said('drained');
    assert.deepEqual(summary, { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 2 });
  });

  it('that is asked for during a drain, on a connection that was idle, is answered first as well', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const [first, second] = [await open(worker, port, '/first'), await open(worker, port, '/second')];
    const late = new RawClient(port, GET('/'));
    await late.gets('hello');
    late.received = Buffer.alloc(0);
    await worker.drain({ websocketSpreadMs: 1000 });
    late.socket.write(upgradeOf('/late'));
    await worker.printed('asked /late');
    // The second one's turn is at half the spread, many looks later.
    await closeAfterFrame(first);
    await closeAfterFrame(second);
    assert.equal(late.received.toString('latin1'), '');
    agree(worker, '/late');
    await closeAfterFrame(late);
    assert.equal(late.received.toString('latin1'), HANDSHAKE + CLOSE.toString('latin1'));
  });

  it('to a tunnel that the app has not opened yet is not ended for being quiet', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const tunnel = new RawClient(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n');
    await worker.printed('asked x:1');
    const idle = new RawClient(port, '');
    await eventually('both connections', async () => worker.lastReport?.runtime.openConnections === 2);
    await worker.drain({ idleGraceMs: 50 });
    // Whoever has sent nothing is as quiet as the tunnel; what is ended for that is so in one go.
    await idle.ends();
    agree(worker, 'x:1');
    await tunnel.ends();
    assert.equal(tunnel.received.toString('latin1'), HANDSHAKE);
  });

  it('of an HTTP/1.1 client of an HTTP/2 server is counted, and closed with 1012', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
    const app = join(APPS, 'upgrades-beside-http2.cjs');
    const worker = await daemon.start({ app, node, shards: [shard], env: { PORT: String(port) } });
    await worker.said('listening', ({ protocol }) => protocol === 'http2');
    const client = new RawClient(port, UPGRADE, true);
    await client.gets(HANDSHAKE);
    await worker.drain({ websocketSpreadMs: 0, idleGraceMs: 1000 });
    await closeAfterFrame(client);
    assert.equal(client.received.toString('latin1'), HANDSHAKE + CLOSE.toString('latin1'));
    const { summary, report } = await worker.said('drained');
    assert.deepEqual([summary.closedUpgrades, report.counters.upgrades], [1, 1]);
  });

  it('that the app never answers is cut at the deadline', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const undecided = new RawClient(port, upgradeOf('/undecided'));
    await worker.printed('asked /undecided');
    await worker.drain({ timeoutMs: 300, websocketSpreadMs: 0 });
    await undecided.ends();
    assert.equal(undecided.received.toString('latin1'), '');
    const { summary } = await worker.said('drained');
    assert.deepEqual(summary, { cutRequests: 0, cutUpgrades: 1, cutConnections: 0, closedUpgrades: 0 });
  });
});
