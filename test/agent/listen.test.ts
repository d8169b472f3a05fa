/** Where servers get their connections from, under each Node that is there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import type { ListenAddress } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon } from './support/fake-daemon.ts';
import { get } from './support/get.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/prints-itself.cjs');
const EVERY_WAY = join(import.meta.dirname, '../fixtures/apps/listens-in-every-way.cjs');

interface Self {
  readonly env: readonly string[];
  readonly execArgv: readonly string[];
  readonly channel: string;
  readonly send: string;
  readonly connected: boolean;
  readonly listeners: Record<string, number>;
  readonly ownNames: readonly string[];
}

const dualStack = (port: number): ListenAddress => ({ kind: 'tcp', host: '::', port, v6only: false });

underEachNode('A worker', ({ path: node }) => {
  it('listens at once on a shard that it was given, and answers there', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: `[${port}]` } });
    await worker.said('listening', ({ key }) => key === shard.key);
    await worker.printed(`sync true {"address":"::","family":"IPv6","port":${port}}`);
    assert.equal(await get({ port }), `hello from ${worker.pid}\n`);
  });

  it('answers on its private socket before it may accept from the public one', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({
      app: APP,
      node,
      shards: [shard],
      env: { LISTEN: `[${port}]` },
      acceptAtOnce: false,
    });
    await worker.said('listening');
    let isAnswered = false;
    const early = get({ port }).then((body) => ((isAnswered = true), body));
    assert.match(await get({ socketPath: shard.privatePath }), /^hello/);
    assert.equal(isAnswered, false);
    worker.send({ type: 'accept' });
    assert.match(await early, /^hello/);
  });

  it('asks for a port that it was not given, and takes what is sent to it while it runs', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({ app: APP, node, env: { LISTEN: `[${port}, "127.0.0.1"]` } });
    const { id, request: asked, protocol } = await worker.said('listen');
    assert.deepEqual(
      [asked.host, asked.port, asked.path, asked.randomIndex, protocol],
      ['127.0.0.1', port, null, null, 'http'],
    );
    const shard = daemon.shard({ kind: 'tcp', host: '127.0.0.1', port, v6only: false });
    worker.grant(id, shard);
    await worker.said('listening', ({ key }) => key === shard.key);
    assert.match(await get({ port }), /^hello/);
    assert.match(await get({ socketPath: shard.privatePath }), /^hello/);
  });

  it('asks for what each way to call `listen` means, and leaves a handle of the app alone', async () => {
    await using daemon = await openFakeDaemon();
    const names = ['text', 'object', 'exclusive', 'ipv6Only', 'name', 'callback', 'handle'];
    const ports: Record<string, number> = {};
    for (const name of names) ports[name] = await freePort();
    const path = join(daemon.folder, 'app.sock');
    const worker = await daemon.start({
      app: EVERY_WAY,
      node,
      env: { PORTS: JSON.stringify(ports), UNIX: path },
    });
    const asked = await eventually('seven requests', () => {
      const requests = worker.messages.filter((message) => message.type === 'listen');
      return requests.length === 7 && requests;
    });
    const ofPort = (name: string): string => {
      const { host, v6only } = asked.find(({ request }) => request.port === ports[name])?.request ?? {};
      return `${host} ${v6only}`;
    };
    assert.deepEqual(['text', 'object', 'exclusive', 'ipv6Only', 'callback'].map(ofPort), [
      'null false',
      '127.0.0.1 false',
      'null false',
      '::1 true',
      '127.0.0.1 false',
    ]);
    assert.match(ofPort('name'), /^(127\.0\.0\.1|::1) false$/);
    assert.equal(ofPort('handle'), 'undefined undefined');
    for (const { id, request } of asked) worker.send({ type: 'bind', id, reusePort: request.path === null });
    await eventually('seven servers', () => worker.messages.filter(({ type }) => type === 'listening').length === 7);
    for (const name of names) {
      const host = name === 'ipv6Only' ? '::1' : name === 'name' ? 'localhost' : '127.0.0.1';
      assert.equal(await get({ port: ports[name] ?? 0, host }), name);
    }
    assert.equal(await get({ socketPath: path }), 'path');
    assert.equal(statSync(path).mode & 0o777, 0o666, 'readable and writable for all');
    await worker.printed('called back');
  });

  it('emits the error that the kernel would have given when the daemon refuses', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({ app: APP, node, env: { LISTEN: `[${port}]` } });
    const { id } = await worker.said('listen');
    worker.send({ type: 'refuse', id, code: 'EADDRINUSE', errno: 98 });
    const line = await worker.printed('error');
    const { code, syscall, address, message } = JSON.parse(line.slice('error '.length)) as Record<string, unknown>;
    assert.deepEqual([code, syscall, address], ['EADDRINUSE', 'listen', '::']);
    assert.equal(message, `listen EADDRINUSE: address already in use :::${port}`);
  });

  it('binds by itself when it is told to, and says with which descriptor', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({ app: APP, node, env: { LISTEN: `[${port}]` } });
    const { id } = await worker.said('listen');
    worker.send({ type: 'bind', id, reusePort: true });
    const bound = await worker.said('bound');
    assert.deepEqual(bound.address, dualStack(port));
    assert.ok(bound.fd > 2 && bound.inode > 0);
    assert.match(await get({ port }), /^hello/);
  });

  it('binds by itself, and serves, when nobody answers', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const worker = await daemon.start({ app: APP, node, env: { LISTEN: `[${port}]` }, acceptAtOnce: false });
    await worker.said('bound', () => true, 15_000);
    assert.match(await get({ port }), /^hello/);
  });

  it('knows its random port at once', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port), 0);
    const worker = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: '[0]' } });
    await worker.printed(`"port":${port}`);
    assert.match(await get({ port }), /^hello/);
  });

  it('reserves a random port that nobody gave it', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: APP, node, env: { LISTEN: '[0]' } });
    const { id, request: asked } = await worker.said('listen');
    assert.equal(asked.randomIndex, 0);
    const port = asked.reservedPort ?? 0;
    assert.ok(port > 0);
    await worker.printed(`sync true {"address":"::","family":"IPv6","port":${port}}`);
    worker.grant(id, daemon.shard(dualStack(port), 0));
    assert.match(await eventually('an answer', async () => get({ port })), /^hello/);
  });

  it('accepts again after it was held, and covers a sibling', async () => {
    await using daemon = await openFakeDaemon();
    const [port, otherPort] = [await freePort(), await freePort()];
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: `[${port}]` } });
    await worker.said('listening');
    assert.match(await get({ port }), /^hello/);
    worker.send({ type: 'hold' });
    worker.send({ type: 'report-now', id: 1 });
    await worker.said('report', ({ replyTo }) => replyTo === 1);
    let isAnswered = false;
    const waiting = get({ port }).then((body) => ((isAnswered = true), body));
    assert.match(await get({ socketPath: shard.privatePath }), /^hello/);
    assert.equal(isAnswered, false);
    worker.send({ type: 'accept' });
    const { id } = await worker.said('listen');
    worker.grant(id, shard);
    assert.match(await waiting, /^hello/);

    const sibling = daemon.shard(dualStack(otherPort));
    worker.send({ type: 'descriptor', role: 'cover', key: shard.key, slot: 1 }, sibling.fd);
    assert.match(await get({ port: otherPort }), /^hello/);
  });

  it('accepts nothing more on its way out, whatever a daemon gives it that has not heard of that', async () => {
    await using daemon = await openFakeDaemon();
    const [port, otherPort] = [await freePort(), await freePort()];
    const [shard, sibling] = [daemon.shard(dualStack(port)), daemon.shard(dualStack(otherPort))];
    const worker = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: `[${port}]` } });
    await worker.said('listening');
    const kept = connect({ port });
    await once(kept, 'connect');
    await worker.said('report', ({ report }) => report.runtime.openConnections === 1);
    await worker.drain({ idleGraceMs: 60_000 });
    worker.send({ type: 'descriptor', role: 'cover', key: shard.key, slot: 1 }, sibling.fd);
    worker.send({ type: 'descriptor', role: 'shard', key: shard.key, slot: 0 }, shard.fd);
    worker.send({ type: 'accept' });
    worker.send({ type: 'report-now', id: 1 });
    await worker.said('report', ({ replyTo }) => replyTo === 1);
    const answers = [get({ port }), get({ port: otherPort })];
    const next = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: `[${port}]` } });
    next.send({ type: 'descriptor', role: 'cover', key: shard.key, slot: 1 }, sibling.fd);
    assert.deepEqual(await Promise.all(answers), [`hello from ${next.pid}\n`, `hello from ${next.pid}\n`]);
    kept.destroy();
    assert.equal((await worker.exited).signal, 'SIGTERM');
  });

  it('shows the app nothing of all this but what it was promised', async () => {
    await using daemon = await openFakeDaemon();
    const port = await freePort();
    const shard = daemon.shard(dualStack(port));
    const worker = await daemon.start({ app: APP, node, shards: [shard], env: { LISTEN: `[${port}]` } });
    await worker.said('listening');
    // A round trip over the channel, so that it has been opened.
    worker.send({ type: 'report-now', id: 1 });
    await worker.said('report', ({ replyTo }) => replyTo === 1);
    const self = JSON.parse(await get({ port }, '/self')) as Self;
    assert.deepEqual(self.env, []);
    assert.deepEqual(self.execArgv, []);
    assert.deepEqual([self.channel, self.send, self.connected], ['undefined', 'function', true]);

    // Without a channel that is really the daemon's, the agent does nothing: such a process is as good as a bare one.
    const barePort = await freePort();
    const bare = await daemon.start({ app: APP, node, env: { LISTEN: `[${barePort}]` }, boot: { channel: '3:1' } });
    await bare.printed('listening');
    assert.deepEqual(bare.messages, []);
    const { listeners, ownNames } = JSON.parse(await get({ port: barePort }, '/self')) as Self;
    assert.deepEqual(self.listeners, listeners);
    const added = self.ownNames.filter((name) => !ownNames.includes(name));
    assert.deepEqual(added.sort(), ['connected', 'disconnect', 'send']);
  });
});
