/** Listening sockets made through libc: where they are bound, who shares them, what waits on them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  acceptQueue,
  canBindExclusively,
  duplicate,
  inodeOf,
  isListening,
  isOsError,
  listeningInodes,
  listenSocket,
  setReusePort,
  socketAddress,
  unixListenSocket,
} from '../../src/os/index.ts';

const loopback = { host: '127.0.0.1', port: 0, v6only: false, reusePort: true };

describe('a listening socket', () => {
  for (const [host, v6only] of [
    ['127.0.0.1', false],
    ['0.0.0.0', false],
    ['::1', true],
    ['::', false],
    ['::', true],
  ] as const) {
    it(`knows its address on ${host}${v6only ? ' (IPv6 only)' : ''}`, () => {
      const fd = listenSocket({ host, port: 0, v6only, reusePort: false });
      const address = socketAddress(fd);
      assert.ok(address.kind === 'tcp' && address.port > 0);
      assert.deepEqual(address, { kind: 'tcp', host, port: address.port, v6only });
      assert.ok(isListening(fd));
      closeSync(fd);
    });
  }

  it('counts the connections that nobody has accepted', async () => {
    const fd = listenSocket(loopback);
    const address = socketAddress(fd);
    assert.ok(address.kind === 'tcp');
    assert.deepEqual(acceptQueue(fd), { depth: 0, limit: acceptQueue(fd)?.limit });
    assert.ok((acceptQueue(fd)?.limit ?? 0) > 511);
    const clients = [1, 2, 3].map(() => connect(address.port, '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    assert.equal(acceptQueue(fd)?.depth, 3);
    for (const client of clients) client.on('error', () => {}).destroy();
    closeSync(fd);
  });

  it('is refused where somebody listens without sharing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.throws(
      () => listenSocket({ ...loopback, port }),
      (error) => isOsError(error, 'EADDRINUSE'),
    );
    server.close();
  });

  it('becomes a group when the one that listens is made to share', () => {
    const first = listenSocket({ ...loopback, reusePort: false });
    const address = socketAddress(first);
    assert.ok(address.kind === 'tcp');
    setReusePort(duplicate(first));
    const second = listenSocket({ ...loopback, port: address.port });
    assert.notEqual(inodeOf(first), inodeOf(second));
    closeSync(first);
    closeSync(second);
  });

  it('does not hide a neighbour that shares the port', () => {
    const neighbour = listenSocket(loopback);
    const address = socketAddress(neighbour);
    assert.equal(canBindExclusively(address)?.code, 'EADDRINUSE');
    closeSync(neighbour);
    assert.equal(canBindExclusively(address), null);
  });

  it('refuses a host that is no address', () => {
    assert.throws(() => listenSocket({ ...loopback, host: 'localhost' }), TypeError);
  });
});

describe('a listening Unix socket', () => {
  it('is told from the connections that were accepted on it, which have its path as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-'));
    const path = join(folder, 'app.sock');
    const server = createServer().listen(path);
    const accepted = once(server, 'connection');
    const client = connect(path);
    try {
      await accepted;
      assert.equal(listeningInodes({ kind: 'unix', path }).size, 1);
    } finally {
      client.destroy();
      server.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('replaces the file of a dead listener, and nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-'));
    const path = join(folder, 'app.sock');
    try {
      const first = unixListenSocket(path, { mode: 0o600 });
      assert.deepEqual(socketAddress(first), { kind: 'unix', path });
      assert.throws(
        () => unixListenSocket(path),
        (error) => isOsError(error, 'EADDRINUSE'),
      );
      closeSync(first);
      assert.ok(existsSync(path));
      closeSync(unixListenSocket(path));
      rmSync(path);
      writeFileSync(path, 'mine');
      assert.throws(
        () => unixListenSocket(path),
        (error) => isOsError(error, 'EADDRINUSE'),
      );
      assert.throws(
        () => unixListenSocket(join(folder, 'x'.repeat(120))),
        (error) => isOsError(error, 'ENAMETOOLONG'),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
