/** What a worker says from its first line to its last, and how it ends. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { ListenAddress } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { GET, RawClient, UPGRADE } from './support/raw-client.ts';
import { underEachNode } from './support/under-each-node.ts';

const APPS = join(import.meta.dirname, '../fixtures/apps');
const dualStack = (port: number): ListenAddress => ({ kind: 'tcp', host: '::', port, v6only: false });

async function startStreams(daemon: FakeDaemon, node: string): Promise<{ worker: FakeWorker; port: number }> {
  const port = await freePort();
  const worker = await daemon.start({
    app: join(APPS, 'raw-streams.cjs'),
    node,
    shards: [daemon.shard(dualStack(port))],
    env: { PORT: String(port) },
  });
  await worker.said('listening');
  return { worker, port };
}

underEachNode("A worker's life", ({ path: node }) => {
  it('ends with the code of the app, which is its last word', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: join(APPS, 'talks.cjs'), node, env: { ENDS: 'code' } });
    assert.deepEqual(await worker.exited, { code: 3, signal: null });
    const { code, reason } = await worker.said('exit');
    assert.deepEqual([code, reason], [3, null]);
  });

  it('ends with an uncaught exception as ever, and says which', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: join(APPS, 'talks.cjs'), node, env: { ENDS: 'throw' } });
    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.match((await worker.said('exit')).reason ?? '', /^SyntaxError/);
    assert.ok(worker.output.some((line) => line.includes('SyntaxError')));
  });

  it('that never began, for a slip in the script, ends with what the slip is, and not its place', async () => {
    await using daemon = await openFakeDaemon();
    await using folder = await temporaryFolder();
    const app = join(folder.path, 'slip.cjs');
    writeFileSync(app, "const greeting = 'hello' world;\n");
    const worker = await daemon.start({ app, node });
    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.equal((await worker.said('exit')).reason, "SyntaxError: Unexpected identifier 'world'");
  });

  it('ends because of an exception when the app gives up over it, and not when it has gone on since', async () => {
    await using daemon = await openFakeDaemon();
    for (const [ends, expected] of [
      ['gives-up', /^Error: thrown/],
      ['survives', /^null$/],
    ] as const) {
      const worker = await daemon.start({ app: join(APPS, 'talks.cjs'), node, env: { ENDS: ends } });
      assert.deepEqual(await worker.exited, { code: 4, signal: null });
      await worker.printed('caught thrown');
      assert.match(String((await worker.said('exit')).reason), expected);
    }
  });

  it('ends after its drain with what a handler of SIGTERM has begun, where that ends nothing itself', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'only-cleans-up.cjs'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
    });
    await worker.said('listening');
    await worker.drain({ idleGraceMs: 100 });
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    await worker.printed('cleaned up');
  });

  it('ends by itself when the app has nothing left to do', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: ['-e', 'setTimeout(() => {}, 50)'], node });
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.equal((await worker.said('exit')).code, 0);
  });

  it('talks to the app as a parent would, without a channel that could end', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: join(APPS, 'talks.cjs'), node, env: { ENDS: 'wait' } });
    await worker.said('ready');
    assert.deepEqual((await worker.said('message')).payload, { answer: 42 });
    await worker.printed('sent null');
    await worker.printed('refused ERR_MISSING_ARGS');
    worker.send({ type: 'message', payload: { to: 'app' } });
    await worker.printed('got {"to":"app"}');
    assert.equal(worker.output.includes('disconnected'), false);
  });

  it('says hello to a new daemon also behind an app that has sent more than is kept', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: join(APPS, 'floods.cjs'), node });
    await worker.said('hello');
    worker.reads = false;
    worker.send({ type: 'message', payload: 'flood' });
    await worker.printed('full');
    worker.send({ type: 'welcome', v: 1, daemon: 'next', reportEveryMs: 100 });
    worker.send({ type: 'message', payload: 'welcome' });
    await worker.printed('got welcome');
    worker.reads = true;
    // And one more on the daemon's socket, where the agent had time to look there.
    await eventually('another hello', () => worker.messages.filter(({ type }) => type === 'hello').length >= 2);
  });

  it('lets the app disconnect', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: join(APPS, 'talks.cjs'), node, env: { ENDS: 'disconnect' } });
    await worker.printed('late ERR_IPC_CHANNEL_CLOSED false');
    await worker.printed('disconnected');
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });

  it('says hello to every daemon, and has one report at most under way', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'hello.cjs'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
      reportEveryMs: 10,
    });
    await worker.said('hello', ({ phase, pid }) => phase === 'booting' && pid === worker.pid);
    worker.acknowledges = false;
    const count = (): number => worker.messages.filter(({ type }) => type === 'report').length;
    const before = count();
    for (let request = 1; request <= 5; request++) {
      const client = new RawClient(port, GET('/'));
      await client.gets('hello');
      client.socket.destroy();
    }
    // Answers to questions come all the same, and tell that many timers have passed.
    worker.send({ type: 'report-now', id: 1 });
    const { report } = await worker.said('report', ({ replyTo }) => replyTo === 1);
    assert.equal(report.counters.served, 5);
    assert.ok(count() - 1 - before <= 2, `${count() - 1 - before} reports without an acknowledgement`);
    worker.acknowledges = true;
    worker.send({ type: 'welcome', v: 1, daemon: 'next', reportEveryMs: 10 });
    await worker.said('hello', (hello) => hello.report.counters.served === 5 && hello.servers.length === 1);
    const after = count();
    await eventually('reports go on', () => count() > after);
  });
});

underEachNode('Draining', ({ path: node }) => {
  it('closes a WebSocket of an unknown library with one whole close frame', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await startStreams(daemon, node);
    const client = new RawClient(port, UPGRADE);
    await client.gets('\r\n\r\n');
    client.received = Buffer.alloc(0);
    await worker.drain({ websocketSpreadMs: 0 });
    await eventually('a close frame', () => client.received.length > 0);
    client.socket.end(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4]));
    await client.ends();
    assert.deepEqual([...client.received], [0x88, 0x02, 0x03, 0xf4]);
    const { summary } = await worker.said('drained');
    assert.deepEqual(summary, { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 1 });
  });

  it('asks clients to leave even where the app says keep-alive itself', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await startStreams(daemon, node);
    const early = new RawClient(port, GET('/explicit'));
    const idle = new RawClient(port, GET('/'));
    await idle.gets('hello');
    await eventually('a request in flight', async () => {
      worker.send({ type: 'report-now', id: 5 });
      return worker.lastReport?.runtime.inFlight === 1 || early.received.length > 0;
    });
    await worker.drain({ idleGraceMs: 2000 });
    idle.received = Buffer.alloc(0);
    idle.socket.write(GET('/explicit'));
    await idle.gets('explicit\n');
    await idle.ends();
    assert.match(idle.received.toString('latin1'), /^connection: close\r$/im);
    assert.doesNotMatch(idle.received.toString('latin1'), /keep-alive/i);
  });

  it('keeps an idle connection for as long as the server announced', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await startStreams(daemon, node);
    const idle = new RawClient(port, GET('/'));
    await idle.gets('hello');
    const beganAt = performance.now();
    await worker.drain({ idleGraceMs: 50 });
    await idle.ends();
    // `Keep-Alive: timeout=5` was announced, some of which had passed; closing at the grace would be 100 times earlier.
    assert.ok(performance.now() - beganAt > 4000);
    await worker.said('drained');
  });

  it("cuts what is left at the deadline, counts it, and lets the app's own handler end", async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await startStreams(daemon, node);
    const client = new RawClient(port, GET('/endless'));
    await client.gets('x');
    await worker.drain({ timeoutMs: 500 });
    const { summary, report } = await worker.said('drained');
    assert.deepEqual(summary, { cutRequests: 1, cutUpgrades: 0, cutConnections: 1, closedUpgrades: 0 });
    assert.deepEqual([report.counters.lost, report.counters.aborted], [1, 0]);
    await client.ends();
    assert.deepEqual(await worker.exited, { code: 5, signal: null });
    await worker.printed('closed well');
  });

  it('can be off rotation and come back', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({
      app: join(APPS, 'raw-streams.cjs'),
      node,
      shards: [shard],
      env: { PORT: String(port) },
    });
    await worker.said('listening');
    await worker.drain({ thenExit: false });
    await worker.said('drained');
    worker.send({ type: 'accept' });
    const { id } = await worker.said('listen');
    worker.grant(id, shard);
    const client = new RawClient(port, GET('/'));
    await client.gets('hello');
    assert.doesNotMatch(client.received.toString('latin1'), /connection: close/i);
    client.socket.destroy();
  });
});
