/** Which ports can be had: taken ones, other users', IPv4 and IPv6, Unix paths, those that workers bound by themselves. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, fstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import {
  acceptQueue,
  closeDescriptor,
  duplicate,
  listenSocket,
  probeDispatch,
  socketAddress,
  takeDescriptor,
} from '../../src/os/index.ts';
import { DroverError } from '../../src/protocol/index.ts';
import { ask, connectTo, idleHolder, openTestPort, portNumber, testPath, TestWorker, until } from './net-support.ts';

const { level: best } = probeDispatch();
const levels = best === 'exact' ? (['exact', 'classic', 'shared'] as const) : (['classic', 'shared'] as const);
const request = { app: 'shop', uid: null, sticky: false, declared: true };

const isTaken =
  (pid: number) =>
  (error: unknown): boolean =>
    error instanceof DroverError && error.code === 'DROVER_PORT_TAKEN' && error.data['pid'] === pid;

for (const level of levels) {
  describe(`a port at the ${level} level`, () => {
    it('is refused while another process listens, and its holder is named', async () => {
      using test = testPath({ level });
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
        const address = { kind: 'tcp', host, port, v6only: false } as const;
        assert.throws(() => test.path.openPort({ ...request, address }), isTaken(process.pid), host);
      }
      server.close();
    });

    it('is refused where a neighbour would share it', () => {
      using test = testPath({ level });
      const neighbour = listenSocket({ host: '127.0.0.1', port: 0, v6only: false, reusePort: true });
      const address = socketAddress(neighbour);
      assert.throws(() => test.path.openPort({ ...request, address }), isTaken(process.pid));
    });

    it('is refused to a second app, and found by the first', () => {
      using test = testPath({ level });
      const port = openTestPort(test.path);
      assert.equal(test.path.openPort({ ...request, address: port.address }), port);
      assert.equal(test.path.findPort('shop', port.address), port);
      assert.equal(test.path.findPort('other', port.address), null);
      assert.throws(() => test.path.openPort({ ...request, app: 'other', address: port.address }), /the app shop/);
    });

    it('is free again once its app is closed', () => {
      using test = testPath({ level });
      const { address } = openTestPort(test.path);
      test.path.closeApp('shop');
      assert.deepEqual(test.path.inventory(), []);
      const probe = listenSocket({ ...(address as Extract<typeof address, { kind: 'tcp' }>), reusePort: false });
      assert.equal(acceptQueue(probe)?.depth, 0);
      closeDescriptor(probe);
    });

    it('serves IPv4 and IPv6 clients on a dual-stack address, and only IPv6 ones where asked', async () => {
      using test = testPath({ level });
      using worker = new TestWorker('worker');
      const dual = openTestPort(test.path, { host: '::' });
      const six = openTestPort(test.path, { host: '::', v6only: true });
      for (const port of [dual, six]) worker.accept(port.key, port.shard(0).fd);
      test.path.attach(worker.holder(0));
      assert.equal(await ask(portNumber(dual), '127.0.0.1'), 'worker');
      assert.equal(await ask(portNumber(dual), '::1'), 'worker');
      assert.equal(await ask(portNumber(six), '::1'), 'worker');
      await assert.rejects(ask(portNumber(six), '127.0.0.1'), { code: 'ECONNREFUSED' });
    });

    it('may be a Unix path, with one socket for all workers', async () => {
      using test = testPath({ level });
      const folder = mkdtempSync(join(tmpdir(), 'drover-'));
      const path = join(folder, 'app.sock');
      const port = test.path.openPort({ ...request, address: { kind: 'unix', path } });
      assert.equal(port.shard(0).inode, port.shard(1).inode);
      using worker = new TestWorker('worker');
      worker.accept('own', port.shard(1).fd);
      assert.equal(await text(connect(path)), 'worker');
      test.path.closePort('shop', port.key);
      assert.ok(!existsSync(path));
      rmSync(folder, { recursive: true });
    });

    it('gives each worker a private socket that only it serves', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'drover-'));
      {
        using test = testPath({ level, socketFolder: folder });
        const port = openTestPort(test.path);
        const sockets = ['a', 'b', 'c'].map((worker) => port.privateSocket(0, worker));
        assert.ok(sockets.every((socket) => socket !== null));
        assert.equal(port.privateSocket(0, 'c'), sockets[2]);
        // A slot has two workers at most.
        assert.equal(readdirSync(folder).length, 2);
        using worker = new TestWorker('c');
        worker.accept('private', sockets[2]!.fd);
        assert.equal(await text(connect(sockets[2]!.path)), 'c');
        test.path.closeApp('shop');
      }
      assert.deepEqual(readdirSync(folder), []);
      rmSync(folder, { recursive: true });
    });

    it('stays closed when the daemon dies before those who keep its sockets have heard of it', async () => {
      let kept: readonly { readonly name: string; readonly fd: number }[] = [];
      let number = 0;
      {
        using before = testPath({ level });
        const port = openTestPort(before.path);
        number = portNumber(port);
        port.shard(0);
        kept = before.path.inventory().map(({ name, fd }) => ({ name, fd: duplicate(fd) }));
        before.path.closeApp('shop');
      }
      using after = testPath({ level, adopt: kept });
      assert.deepEqual(after.path.ports('shop'), []);
      await assert.rejects(connectTo(number), { code: 'ECONNREFUSED' });
      for (const { fd } of kept) assert.throws(() => fstatSync(fd), { code: 'EBADF' });
    });

    it('survives the daemon: the next one goes on with its sockets, queue and shares', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'drover-'));
      let kept: readonly { readonly name: string; readonly fd: number }[] = [];
      let number = 0;
      using worker = new TestWorker('worker');
      {
        using before = testPath({ level, socketFolder: folder });
        const port = openTestPort(before.path);
        number = portNumber(port);
        for (const slot of [0, 1, 2]) port.shard(slot);
        worker.accept('own', port.shard(2).fd);
        before.path.attach(worker.holder(2));
        port.privateSocket(2, 'worker');
        await until(async () => (await ask(number)) === 'worker', 'the worker answers');
        kept = before.path.inventory().map(({ name, fd }) => ({ name, fd: duplicate(fd) }));
      }
      using after = testPath({ level, socketFolder: folder, adopt: kept });
      const [port] = after.path.ports('shop');
      assert.ok(port !== undefined && portNumber(port) === number);
      assert.deepEqual(
        after.path.inventory().map(({ name }) => name),
        kept.map(({ name }) => name),
      );
      after.path.attach(worker.holder(2));
      // The array of the daemon before takes the kernel some milliseconds to free.
      await until(async () => {
        const answers = Promise.all(Array.from({ length: 8 }, () => ask(number)));
        return (await answers).every((answer) => answer === 'worker');
      }, 'the worker answers');
      if (level !== 'shared') {
        assert.deepEqual(
          after.path.view('shop')[0]?.shards.map(({ slot, weight }) => [slot, weight]),
          [
            [0, 0],
            [1, 0],
            [2, 100],
          ],
        );
      }
      // Its own shares are in force, not those that it found.
      if (level !== 'shared') {
        using sibling = new TestWorker('sibling');
        sibling.accept('own', port.shard(0).fd);
        after.path.attach(sibling.holder(0));
        after.path.setSlotFactor('shop', 2, 'stable', 0);
        await until(async () => {
          const answers = Promise.all(Array.from({ length: 8 }, () => ask(number)));
          return (await answers).every((answer) => answer === 'sibling');
        }, 'only the sibling answers');
      }
      rmSync(folder, { recursive: true, force: true });
    });
  });
}

for (const level of levels.filter((each) => each !== 'shared')) {
  describe(`a port that a worker bound by itself, at the ${level} level`, () => {
    it('becomes a group, and outlives the worker', async (t) => {
      const worker = spawn(
        process.execPath,
        [
          '-e',
          `const s = require('net').createServer((c) => c.end('own')).listen(0, '127.0.0.1', () => console.log(s.address().port, s._handle.fd))`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      try {
        const [data] = (await once(worker.stdout, 'data')) as [Buffer];
        const [number = 0, theirFd = 0] = String(data).split(' ').map(Number);
        let taken: number;
        try {
          taken = takeDescriptor(worker.pid ?? 0, theirFd);
        } catch (error) {
          t.skip(`descriptors cannot be taken here: ${String(error)}`);
          return;
        }
        using test = testPath({ level });
        const address = { kind: 'tcp', host: '127.0.0.1', port: number, v6only: false } as const;
        const port = test.path.adoptPort({ app: 'shop', address, fd: taken, slot: 0, sticky: false });
        test.path.attach(idleHolder(0));
        assert.equal(await ask(number), 'own');
        assert.ok((acceptQueue(port.shard(0).fd)?.limit ?? 0) > 511);

        using sibling = new TestWorker('sibling');
        sibling.accept('own', port.shard(1).fd);
        test.path.attach(sibling.holder(1));
        const names = new Set<string>();
        await until(async () => names.add(await ask(number)).size === 2, 'both answer');

        const dead = once(worker, 'exit');
        worker.kill('SIGKILL');
        await dead;
        test.path.detach('shop/0#stable');
        const answers = await Promise.all(Array.from({ length: 20 }, () => ask(number)));
        assert.deepEqual(new Set(answers), new Set(['sibling']));
      } finally {
        worker.kill('SIGKILL');
      }
    });
  });

  describe(`a port of an app with a user of its own, at the ${level} level`, () => {
    it('is a group of that user', { skip: process.getuid?.() === 0 ? false : 'needs root' }, async () => {
      using test = testPath({ level });
      const address = { kind: 'tcp', host: '127.0.0.1', port: 0, v6only: false } as const;
      const port = test.path.openPort({ ...request, uid: 65534, address });
      for (const slot of [0, 1]) {
        assert.equal(fstatSync(port.shard(slot).fd).uid, 65534);
        test.path.attach(idleHolder(slot));
      }
      const sockets = await Promise.all(Array.from({ length: 40 }, () => connectTo(portNumber(port))));
      const depths = test.path.view('shop')[0]?.shards.map(({ acceptQueue }) => acceptQueue ?? 0) ?? [];
      assert.equal(depths[0]! + depths[1]!, 40);
      assert.ok(depths.every((depth) => depth > 0));
      for (const socket of sockets) socket.destroy();
    });
  });

  describe(`a sticky port at the ${level} level`, () => {
    it('sends a client to one worker, and only moves the clients of one that goes', async () => {
      using test = testPath({ level });
      const port = openTestPort(test.path, { sticky: true });
      const workers = Array.from({ length: 4 }, (_, slot) => new TestWorker(String(slot)));
      try {
        for (const [slot, worker] of workers.entries()) {
          worker.accept('own', port.shard(slot).fd);
          test.path.attach(worker.holder(slot));
        }
        const clients = Array.from({ length: 40 }, (_, n) => `127.0.1.${n + 1}`);
        const askAs = async (client: string): Promise<string> =>
          text(await connectTo(portNumber(port), '127.0.0.1', client));
        const homes = await Promise.all(clients.map(askAs));
        assert.equal(new Set(homes).size, 4);
        assert.deepEqual(await Promise.all(clients.map(askAs)), homes);

        test.path.setSlotFactor('shop', 2, 'stable', 0);
        const moved = await Promise.all(clients.map(askAs));
        for (const [at, home] of homes.entries()) {
          if (home === '2') assert.notEqual(moved[at], '2');
          else assert.equal(moved[at], home);
        }
      } finally {
        for (const worker of workers) worker[Symbol.dispose]();
      }
    });
  });
}
