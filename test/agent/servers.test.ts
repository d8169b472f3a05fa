/** Every kind of server, and apps that listen in unusual ways, under each Node that is there. */
import assert from 'node:assert/strict';
import { existsSync, linkSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { inodeOf } from '../../src/os/index.ts';
import { secondName, type ListenAddress } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { type FakeDaemon, openFakeDaemon } from './support/fake-daemon.ts';
import { get } from './support/get.ts';
import { underEachNode } from './support/under-each-node.ts';

const APPS = join(import.meta.dirname, '../fixtures/apps');
const dualStack = (port: number): ListenAddress => ({ kind: 'tcp', host: '::', port, v6only: false });

async function getHttp2(port: number): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  try {
    const stream = session.request({ ':path': '/' }).setEncoding('utf8');
    let body = '';
    for await (const chunk of stream) body += chunk as string;
    return body;
  } finally {
    session.close();
  }
}

async function echo(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.end(text);
  let body = '';
  for await (const chunk of socket) body += chunk as string;
  return body;
}

/** An app that unlinks its path, that path with a socket behind it, and the inode of its file, which has a second name. */
const openPath = (daemon: Pick<FakeDaemon, 'folder' | 'shard'>) => {
  const path = join(daemon.folder, 'app.sock');
  const shard = daemon.shard({ kind: 'unix', path });
  linkSync(path, secondName(path, inodeOf(shard.fd)));
  return { app: join(APPS, 'unlinks-its-path.cjs'), path, shard, before: statSync(path).ino };
};

underEachNode('Servers', ({ path: node, runsTypeScript }) => {
  it('serve https, http2, plain TCP and Unix paths alike', async () => {
    await using daemon = await openFakeDaemon();
    const [https, http2, tcp] = [await freePort(), await freePort(), await freePort()];
    const path = join(daemon.folder, 'app.sock');
    const worker = await daemon.start({
      app: join(APPS, 'many-servers.mjs'),
      node,
      shards: [
        daemon.shard(dualStack(https)),
        daemon.shard(dualStack(http2)),
        daemon.shard({ kind: 'tcp', host: '127.0.0.1', port: tcp, v6only: false }),
        daemon.shard({ kind: 'unix', path }),
      ],
      env: { HTTPS: String(https), HTTP2S: String(http2), TCP: String(tcp), UNIX: path },
    });
    await eventually('four servers', () => worker.messages.filter(({ type }) => type === 'listening').length === 4);
    worker.send({ type: 'welcome', v: 1, daemon: 'next', reportEveryMs: 100 });
    const { servers } = await worker.said('hello', (hello) => hello.servers.length === 4);
    assert.deepEqual(servers.map(({ protocol, accepting }) => `${protocol} ${accepting}`).sort(), [
      'http true',
      'http2 true',
      'https true',
      'tcp true',
    ]);
    assert.equal(await get({ port: https, tls: true }), 'hello\n');
    assert.equal(await getHttp2(http2), 'hello\n');
    assert.equal(await echo(tcp, 'abc'), 'abc');
    assert.equal(await get({ socketPath: path }), 'hello\n');
    const { counters } = (await worker.said('report', ({ report }) => report.counters.served === 3)).report;
    assert.deepEqual([counters.begun, counters.lost, counters.aborted, counters.connections], [3, 0, 0, 4]);

    await worker.drain();
    await worker.exited;
    assert.equal(existsSync(path), true, "one worker's end must not remove the path of all");
  });

  it('find their path when they listen although the app has unlinked it, where it has a second name', async () => {
    await using daemon = await openFakeDaemon();
    const { app, path, shard, before } = openPath(daemon);
    const worker = await daemon.start({ app, node, shards: [shard], env: { PORT: path, WHEN: 'first', MODE: '640' } });
    await worker.said('listening', ({ key }) => key === shard.key);
    assert.deepEqual([statSync(path).ino, await get({ socketPath: path })], [before, String(worker.pid)]);
    await eventually('it has changed the mode', () => (statSync(path).mode & 0o777) === 0o640);
  });

  it('leave their path behind when they are asked to end, whatever the app does with it', async () => {
    await using daemon = await openFakeDaemon();
    const { app, path, shard, before } = openPath(daemon);
    const worker = await daemon.start({ app, node, shards: [shard], env: { PORT: path, WHEN: 'last' } });
    await worker.said('listening');
    await worker.drain();
    await worker.exited;
    assert.equal(statSync(path).ino, before);
  });

  it('ask the daemon for another socket where both names are gone', async () => {
    await using daemon = await openFakeDaemon();
    const path = join(daemon.folder, 'app.sock');
    const shard = daemon.shard({ kind: 'unix', path });
    const app = join(APPS, 'unlinks-its-path.cjs');
    const worker = await daemon.start({ app, node, shards: [shard], env: { PORT: path, WHEN: 'first' } });
    const { id, request } = await worker.said('listen');
    assert.equal(request.path, path);
    worker.grant(id, daemon.shard({ kind: 'unix', path }));
    await worker.said('listening');
    assert.equal(await get({ socketPath: path }), String(worker.pid));
  });

  it('close, and listen again on what the daemon sends', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({
      app: join(APPS, 'listens-twice.cjs'),
      node,
      shards: [shard],
      env: { PORT: String(port) },
    });
    await worker.printed(`listening ${port}`);
    await worker.printed(`second: EADDRINUSE listen EADDRINUSE: address already in use :::${port}`);
    assert.equal(await get({ port }), 'hello\n');
    worker.child.kill('SIGUSR2');
    await worker.said('closed', ({ id }) => id === 1);
    await worker.printed('closed well false null');
    const { id } = await worker.said('listen');
    worker.grant(id, shard);
    await worker.said('listening', (message) => message.id === id);
    assert.equal(await get({ port }), 'hello\n');
  });

  it('of a node:cluster inside the app answer, and its children are left alone', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'clusters.cjs'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
    });
    await worker.said('listening');
    assert.match(await get({ port }), /^clustered \d+/);
    await worker.printed('child ended 0');
    const told = await eventually('fork and thread', () => {
      const lines = worker.output.filter((line) => line.startsWith('inherited'));
      return lines.length === 2 && lines;
    });
    for (const line of told) assert.equal(line, 'inherited {"env":[],"execArgv":[]}');
    assert.equal(worker.messages.filter(({ type }) => type === 'hello').length, 1);
  });

  it('of forks that have ended stay counted', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'forks-again.cjs'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
      reportEveryMs: 10,
    });
    await worker.said('listening');
    for (let count = 0; count < 4; count++) await worker.printed(`ended ${await get({ port })}`);
    const { counters } = (await worker.said('report', ({ report }) => report.counters.served === 4)).report;
    assert.deepEqual([counters.begun, counters.lost, counters.byClass[2]], [4, 0, 4]);
  });

  it('that were closed are let go of', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: ['--expose-gc', join(APPS, 'opens-and-closes.cjs')], node });
    for (let id = 1; id <= 5; id++) {
      await worker.said('listen', (message) => message.id === id);
      worker.send({ type: 'bind', id, reusePort: false });
    }
    const line = await worker.printed('held');
    // The last one may be on its way still.
    assert.ok(Number(line.split(' ')[1]) <= 1, line);
  });

  it('of a worker behind a wrapper get their shard over the socket', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({
      app: [],
      wrapper: ['sh', '-c', `${node} ${join(APPS, 'hello.cjs')}; exit 0`],
      env: { PORT: String(port) },
      boot: { wrapped: true, channel: null, peer: null },
      acceptAtOnce: false,
    });
    const { id } = await worker.said('listen');
    worker.grant(id, shard);
    await worker.said('listening', ({ key }) => key === shard.key);
    assert.equal(await get({ socketPath: shard.privatePath }), 'hello\n');
    const waiting = get({ port });
    worker.send({ type: 'accept' });
    assert.equal(await waiting, 'hello\n', 'it accepts from the queue of the very socket that the daemon holds');
    await worker.drain();
    await worker.exited;
  });

  it('can be sent to a child process', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'sends-its-server.cjs'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
    });
    await worker.printed('child has a server at');
    await worker.printed(`child has a server at ${port}`);
  });

  it('of another process behind a wrapper bind by themselves when told, and report over the socket', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: [],
      wrapper: ['sh', '-c', `${node} -e 0; ${node} ${join(APPS, 'hello.cjs')}; exit 0`],
      env: { PORT: String(port) },
      boot: { wrapped: true, channel: null, peer: null },
      acceptAtOnce: false,
    });
    const { id } = await worker.said('listen');
    worker.send({ type: 'bind', id, reusePort: true });
    await worker.said('bound');
    worker.send({ type: 'accept' });
    // Until then the port is bound but refuses, so that no connection waits for a worker that is not ready.
    assert.equal(await eventually('an answer', async () => get({ port })), 'hello\n');
    const hellos = worker.messages.filter((message) => message.type === 'hello');
    assert.equal(hellos.length, 1, 'a Node that never listens is no worker');
    process.kill(hellos[0]?.type === 'hello' ? hellos[0].pid : 0, 'SIGKILL');
    await worker.exited;
  });

  const typed = runsTypeScript
    ? 'of a TypeScript entry answer'
    : 'of a TypeScript entry are the error that Node makes of it';
  it(typed, async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({
      app: join(APPS, 'typed.ts'),
      node,
      shards: [daemon.shard(dualStack(port))],
      env: { PORT: String(port) },
    });
    if (runsTypeScript) {
      await worker.said('listening');
      assert.equal(await get({ port }), 'typed\n');
    } else {
      assert.deepEqual(await worker.exited, { code: 1, signal: null });
      assert.match((await worker.said('exit')).reason ?? '', /Unknown file extension/);
    }
  });
});
