/** A channel made by the daemon, seen from a plain Node process at its other end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readdirSync, readSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import {
  ChannelWriter,
  closeDescriptor,
  listenSocket,
  openChannelPair,
  sendOnChannel,
  socketAddress,
} from '../../src/os/index.ts';

const line = (message: unknown): Buffer => Buffer.from(`${JSON.stringify(message)}\n`);

describe('a channel', () => {
  it('hands a listening socket to a running worker', async () => {
    const { daemonFd, workerFd } = openChannelPair();
    const worker = spawn(
      process.execPath,
      [
        '-e',
        `process.on('message', (m, handle) => require('net').createServer((c) => c.end('served')).listen(handle, () => console.log('up')))`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit', workerFd], env: { ...process.env, NODE_CHANNEL_FD: '3' } },
    );
    closeSync(workerFd);
    const listener = listenSocket({ host: '127.0.0.1', port: 0, v6only: false, reusePort: true });
    const address = socketAddress(listener);
    assert.equal(address.kind, 'tcp');
    if (address.kind !== 'tcp') return;
    try {
      assert.equal(
        sendOnChannel(daemonFd, line({ cmd: 'NODE_HANDLE', type: 'net.Native', msg: {} }), listener),
        'sent',
      );
      await once(worker.stdout ?? assert.fail('no output'), 'data');
      assert.equal(await text(connect(address.port, '127.0.0.1')), 'served');
    } finally {
      worker.kill('SIGKILL');
      closeDescriptor(daemonFd);
      closeDescriptor(listener);
    }
  });

  it('says full when the worker does not read, and closed when it is gone', () => {
    const { daemonFd, workerFd } = openChannelPair();
    const chunk = Buffer.alloc(16 * 1024);
    let sent = 0;
    while (sendOnChannel(daemonFd, chunk, null) === 'sent') sent += 1;
    assert.ok(sent > 0);
    assert.equal(sendOnChannel(daemonFd, chunk, null), 'full');
    closeSync(workerFd);
    assert.equal(sendOnChannel(daemonFd, chunk, null), 'closed');
    closeSync(daemonFd);
  });

  it('writes to nobody else who is given the number of a descriptor that its socket has closed', () => {
    const { daemonFd, workerFd } = openChannelPair();
    const socket = new Socket({ fd: daemonFd, readable: true, writable: false });
    const writer = new ChannelWriter(daemonFd);
    writer.closeBefore(socket);
    socket.destroy();
    const others = openChannelPair();
    assert.ok([others.daemonFd, others.workerFd].includes(daemonFd), 'the lowest number that is free');
    assert.equal(writer.send(Buffer.from('not yours')), false);
    const stranger = others.daemonFd === daemonFd ? others.workerFd : others.daemonFd;
    assert.throws(() => readSync(stranger, Buffer.alloc(16)), { code: 'EAGAIN' });
    for (const fd of [workerFd, others.daemonFd, others.workerFd]) closeDescriptor(fd);
  });

  it('keeps what a busy worker has no room for, in order and whole', async () => {
    const { daemonFd, workerFd } = openChannelPair();
    const writer = new ChannelWriter(daemonFd);
    const sent = Array.from({ length: 40 }, (_, n) => Buffer.alloc(50_000, n));
    for (const bytes of sent) assert.equal(writer.send(bytes), true);
    const wanted = Buffer.concat(sent);
    const got: Buffer[] = [];
    let length = 0;
    const buffer = Buffer.alloc(65_536);
    // The retry timer does not keep the process alive by itself.
    const keepAlive = setInterval(() => {}, 1000);
    try {
      while (length < wanted.length) {
        try {
          const n = readSync(workerFd, buffer);
          got.push(Buffer.from(buffer.subarray(0, n)));
          length += n;
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    } finally {
      clearInterval(keepAlive);
    }
    assert.ok(Buffer.concat(got).equals(wanted));
    closeSync(workerFd);
    assert.equal(writer.send(Buffer.from('x')), false);
    writer.close();
    closeSync(daemonFd);
  });

  const skip = existsSync('/proc/self/fd') ? false : 'descriptors cannot be counted here';
  it('keeps a few hundred descriptors for a worker that does not read, and no more', { skip }, () => {
    const { daemonFd, workerFd } = openChannelPair();
    const writer = new ChannelWriter(daemonFd);
    const count = (): number => readdirSync('/proc/self/fd').length;
    while (sendOnChannel(daemonFd, Buffer.alloc(16 * 1024), null) === 'sent');
    const before = count();
    let taken = 0;
    while (taken < 5_000 && writer.send(line({ cmd: 'NODE_HANDLE' }), daemonFd)) taken += 1;
    assert.ok(taken > 100 && taken < 1_000, `${taken} were taken`);
    assert.equal(count(), before + taken);
    assert.equal(writer.send(line({ cmd: 'something' })), true);
    writer.close();
    assert.equal(count(), before);
    closeSync(workerFd);
    closeSync(daemonFd);
  });
});
