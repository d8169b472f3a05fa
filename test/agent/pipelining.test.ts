/** Requests that were sent before their predecessor was answered: closing after one of them would lose the others. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import type { RequestCounters } from '../../src/protocol/index.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { GET, RawClient } from './support/raw-client.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/answers-when-told.cjs');

async function start(daemon: FakeDaemon, node: string): Promise<{ worker: FakeWorker; port: number }> {
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
  const worker = await daemon.start({ app: APP, node, shards: [shard], env: { PORT: String(port) } });
  await worker.said('listening');
  return { worker, port };
}

async function countersOf(worker: FakeWorker, id: number): Promise<RequestCounters> {
  worker.send({ type: 'report-now', id });
  return (await worker.said('report', ({ replyTo }) => replyTo === id)).report.counters;
}

function answer(worker: FakeWorker, ...paths: readonly string[]): void {
  for (const payload of paths) worker.send({ type: 'message', payload });
}

/** The bodies that came, each with what its answer says of the connection. */
function answersIn({ received }: RawClient): string[] {
  const answers = received.toString('latin1').split('HTTP/1.1 200 OK\r\n').slice(1);
  return answers.map((one) => `${/\/\w+$/.exec(one)?.[0]} ${/^connection: (.*)\r$/im.exec(one)?.[1]}`);
}

underEachNode('Pipelined requests', ({ path: node }) => {
  it('that are under way when a drain begins are all answered, and the last one asks the client to leave', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const client = new RawClient(port, GET('/1') + GET('/2') + GET('/3'));
    await worker.printed('asked /3');
    await worker.drain();
    answer(worker, '/1', '/2', '/3');
    await client.ends();
    assert.deepEqual(answersIn(client), ['/1 keep-alive', '/2 keep-alive', '/3 close']);
    const { report } = await worker.said('drained');
    assert.deepEqual([report.counters.served, report.counters.lost, report.counters.aborted], [3, 0, 0]);
  });

  it('that come while a drain waits for the one before them are answered too', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    const client = new RawClient(port, GET('/1'));
    await worker.printed('asked /1');
    await worker.drain();
    client.socket.write(GET('/2'));
    await worker.printed('asked /2');
    answer(worker, '/2', '/1');
    await client.ends();
    assert.deepEqual(answersIn(client), ['/1 keep-alive', '/2 close']);
    const { report } = await worker.said('drained');
    assert.deepEqual([report.counters.served, report.counters.lost, report.counters.aborted], [2, 0, 0]);
  });

  it('are all answered where clients are asked to connect anew', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    worker.send({ type: 'renew', share: 1 });
    await countersOf(worker, 1);
    const client = new RawClient(port, GET('/1') + GET('/2'));
    await worker.printed('asked /2');
    answer(worker, '/1', '/2');
    await client.ends();
    assert.deepEqual(answersIn(client), ['/1 keep-alive', '/2 close']);
  });

  it('that nobody answers because we closed after the one before them count as lost', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    worker.send({ type: 'renew', share: 1 });
    await countersOf(worker, 1);
    // The first is answered before Node has read the second in what came with it.
    const client = new RawClient(port, GET('/now') + GET('/2'));
    await client.ends();
    assert.deepEqual(answersIn(client), ['/now close']);
    const { served, lost, aborted } = await countersOf(worker, 2);
    assert.deepEqual([served, lost, aborted], [1, 1, 0]);
  });
});
