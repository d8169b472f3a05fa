/** The file of a Unix socket that workers share: removed, replaced, inherited, and on file systems without hard links. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { DataPathEvent, Port } from '../../src/net/index.ts';
import { SocketFile } from '../../src/net/socket-file.ts';
import { closeDescriptor, duplicate, inodeOf, unixListenSocket } from '../../src/os/index.ts';
import { secondName } from '../../src/protocol/index.ts';
import { noMounts } from '../support/file-systems.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { testPath, TestWorker, until, type TestPath } from './net-support.ts';

interface Place extends AsyncDisposable {
  readonly folder: string;
  /** Of the socket. */
  readonly path: string;
}

const openPlace = async (): Promise<Place> => placeIn(await temporaryFolder());

const placeIn = (folder: TemporaryFolder): Place => ({
  folder: folder.path,
  path: join(folder.path, 'app.sock'),
  [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose](),
});

const openPort = ({ path }: TestPath, socketPath: string, app = 'shop'): Port =>
  path.openPort({
    app,
    address: { kind: 'unix', path: socketPath },
    uid: null,
    sticky: false,
    declared: false,
  });

const isAnsweredBy = async (path: string, name: string): Promise<boolean> => {
  try {
    return (await text(connect(path))) === name;
  } catch {
    return false;
  }
};

const told = (events: readonly DataPathEvent[]): readonly string[] =>
  events.flatMap((event) => ('path' in event ? [event.type] : []));

/** Another program's socket, put in the place of what is at the path in one step. */
const takePath = async (path: string): Promise<Server> => {
  const server = createServer((client) => client.end('other')).listen(`${path}.new`);
  await once(server, 'listening');
  renameSync(`${path}.new`, path);
  return server;
};

const inodeAt = (path: string): bigint => lstatSync(path, { bigint: true }).ino;

describe('the path of a shared Unix socket', () => {
  it('that somebody unlinks is put back at once, the same file with the mode that it had', async () => {
    await using place = await openPlace();
    using test = testPath();
    using worker = new TestWorker('worker');
    worker.accept('own', openPort(test, place.path).shard(0).fd);
    chmodSync(place.path, 0o641);
    const inode = inodeAt(place.path);
    for (let round = 0; round < 5; round++) {
      unlinkSync(place.path);
      await until(() => existsSync(place.path), 'it is there again');
      assert.deepEqual([inodeAt(place.path), lstatSync(place.path).mode & 0o777], [inode, 0o641]);
      assert.ok(await isAnsweredBy(place.path, 'worker'));
    }
    renameSync(place.path, `${place.path}.moved`);
    await until(() => existsSync(place.path), 'it is there again');
    assert.deepEqual(told(test.events), []);
  });

  it('is not waited for until somebody looks again: the kernel tells of it', async () => {
    await using place = await openPlace();
    using test = testPath();
    openPort(test, place.path);
    const times: number[] = [];
    for (let round = 0; round < 6; round++) {
      const at = performance.now();
      unlinkSync(place.path);
      await until(() => existsSync(place.path), 'it is there again');
      times.push(performance.now() - at);
    }
    // Each removal comes just after the last look: without being told it would take the whole 250 ms to the next one.
    assert.ok(Math.min(...times.slice(1)) < 125, times.join(' '));
  });

  it('keeps its second name, which cleaners of old files take for a dead one', async () => {
    await using place = await openPlace();
    using test = testPath();
    const second = secondName(place.path, openPort(test, place.path).shard(0).inode);
    for (let round = 0; round < 2; round++) {
      unlinkSync(second);
      await until(() => existsSync(second), 'it is there again');
      assert.equal(inodeAt(second), inodeAt(place.path));
    }
  });

  it('is put back for whoever is given the socket, before anybody has told of the removal', async () => {
    await using place = await openPlace();
    using test = testPath();
    const port = openPort(test, place.path);
    // No turn of the loop in between, in which the watch could be heard.
    unlinkSync(place.path);
    port.shard(1);
    assert.ok(existsSync(place.path));
    unlinkSync(place.path);
    test.path.setLaneWeights('shop', { stable: 1, candidate: 0 });
    assert.ok(existsSync(place.path), 'whenever workers come and go');
  });

  it('is left to a program that has taken it, which is named, and comes back once that has gone', async () => {
    await using place = await openPlace();
    using test = testPath();
    using worker = new TestWorker('worker');
    const port = openPort(test, place.path);
    worker.accept('own', port.shard(0).fd);
    const other = await takePath(place.path);
    await until(() => told(test.events).length > 0, 'it is told');
    port.shard(1);
    assert.ok(await isAnsweredBy(place.path, 'other'));
    assert.deepEqual(told(test.events), ['path-taken']);
    rmSync(place.path);
    await until(async () => isAnsweredBy(place.path, 'worker'), 'it leads to the worker again');
    assert.deepEqual(told(test.events), ['path-taken', 'path-back']);
    other.close();
  });

  it('tells of the program that listens there, as the system knows it', async () => {
    await using place = await openPlace();
    using test = testPath();
    openPort(test, place.path);
    // Both names at once, so that the path is free for a moment.
    for (const name of readdirSync(place.folder)) rmSync(join(place.folder, name));
    const other = createServer().listen(place.path);
    await once(other, 'listening');
    await until(() => told(test.events).at(-1) === 'path-taken', 'it is told');
    const event = test.events.findLast((each) => 'path' in each);
    assert.ok(event !== undefined && 'path' in event);
    assert.deepEqual([event.app, event.path, event.owner?.pid], ['shop', place.path, process.pid]);
    other.close();
  });

  it('is no longer anybody’s once the port is ended: both names are gone, what others put there is not', async () => {
    await using place = await openPlace();
    using test = testPath();
    const port = openPort(test, place.path);
    const second = secondName(place.path, port.shard(0).inode);
    assert.deepEqual(readdirSync(place.folder).sort(), [basename(second), 'app.sock'].sort());
    test.path.closePort('shop', port.key);
    assert.deepEqual(readdirSync(place.folder), []);

    openPort(test, place.path);
    const other = await takePath(place.path);
    test.path.closeApp('shop');
    assert.ok(await isAnsweredBy(place.path, 'other'));
    assert.deepEqual(readdirSync(place.folder), ['app.sock']);
    other.close();
    rmSync(place.path);
  });

  it('that was removed with its second name gets a new socket for the next worker', async () => {
    await using place = await openPlace();
    using test = testPath();
    const folder = join(place.folder, 'run');
    const path = join(folder, 'app.sock');
    mkdirSync(folder);
    const port = openPort(test, path);
    const before = port.shard(0).inode;
    rmSync(folder, { recursive: true });
    await until(() => told(test.events).length > 0, 'it is told');
    assert.equal(port.shard(1).inode, before, 'without the folder there is nothing to be done');
    mkdirSync(folder);
    using worker = new TestWorker('worker');
    worker.accept('own', port.shard(1).fd);
    assert.ok(await isAnsweredBy(path, 'worker'));
    assert.ok(port.hasSocket(port.shard(0).inode) && !port.hasSocket(before));
    assert.deepEqual(told(test.events), ['path-lost', 'path-back']);
    test.path.closePort('shop', port.key);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('in the abstract space has no file, and nothing is made for it', async () => {
    await using place = await openPlace();
    using test = testPath();
    using worker = new TestWorker('worker');
    const name = `\0${place.path}`;
    const port = openPort(test, name);
    worker.accept('own', port.shard(0).fd);
    assert.ok(await isAnsweredBy(name, 'worker'));
    assert.deepEqual(readdirSync(place.folder), []);
    test.path.closePort('shop', port.key);
  });
});

/** The data path of a daemon that dies; what was kept of it. */
const dieWith = (prepare: (test: TestPath) => void): { readonly name: string; readonly fd: number }[] => {
  using before = testPath();
  prepare(before);
  return before.path.inventory().map(({ name, fd }) => ({ name, fd: duplicate(fd) }));
};

describe('the path of a socket from the daemon before', () => {
  it('that was removed meanwhile is put back, by the same second name', async () => {
    await using place = await openPlace();
    const adopt = dieWith((test) => openPort(test, place.path));
    const names = readdirSync(place.folder);
    const inode = inodeAt(place.path);
    unlinkSync(place.path);
    using after = testPath({ adopt });
    assert.equal(inodeAt(place.path), inode);
    assert.deepEqual(readdirSync(place.folder), names);
    unlinkSync(place.path);
    await until(() => existsSync(place.path), 'it watches');
    after.path.closeApp('shop');
    assert.deepEqual(readdirSync(place.folder), []);
  });

  it('that another program took meanwhile is told, and left alone, also at the end', async () => {
    await using place = await openPlace();
    const adopt = dieWith((test) => openPort(test, place.path));
    const other = await takePath(place.path);
    using after = testPath({ adopt });
    assert.deepEqual(told(after.events), ['path-taken']);
    after.path.closeApp('shop');
    assert.ok(await isAnsweredBy(place.path, 'other'));
    other.close();
  });

  it('that had no second name gets one, unless somebody else listens on such a path', async () => {
    await using place = await openPlace();
    for (const isElsewhere of [false, true]) {
      const adopt = dieWith((test) => openPort(test, place.path));
      for (const name of readdirSync(place.folder)) if (name !== 'app.sock') rmSync(join(place.folder, name));
      if (isElsewhere) rmSync(place.path);
      const other = isElsewhere ? unixListenSocket(place.path) : null;
      using after = testPath({ adopt });
      assert.equal(readdirSync(place.folder).length, isElsewhere ? 1 : 2);
      after.path.closeApp('shop');
      assert.equal(existsSync(place.path), isElsewhere);
      if (other !== null) closeDescriptor(other);
      rmSync(place.path, { force: true });
    }
  });

  it('is that of a worker’s socket where the daemon’s own cannot be reached any more', async () => {
    await using place = await openPlace();
    const [old] = dieWith((test) => openPort(test, place.path));
    for (const name of readdirSync(place.folder)) rmSync(join(place.folder, name));
    const [young] = dieWith((test) => openPort(test, place.path));
    assert.ok(old !== undefined && young !== undefined);
    using after = testPath({ adopt: [old] });
    assert.deepEqual(told(after.events), ['path-taken']);
    const port = after.path.adoptPort({
      app: 'shop',
      address: { kind: 'unix', path: place.path },
      fd: young.fd,
      slot: 0,
      sticky: false,
    });
    assert.equal(port.shard(0).inode, inodeOf(young.fd));
    assert.deepEqual(told(after.events), ['path-taken', 'path-back']);
    after.path.closeApp('shop');
    assert.deepEqual(readdirSync(place.folder), []);
  });

  it('leaves no second name behind when everybody who had the socket is gone', async () => {
    await using place = await openPlace();
    for (const { fd } of dieWith((test) => openPort(test, place.path))) closeDescriptor(fd);
    // Alike, and none of ours.
    writeFileSync(join(place.folder, '.app.sock.drover-12'), 'a file');
    const alive = unixListenSocket(join(place.folder, '.app.sock.drover-13'));
    const litter = readdirSync(place.folder);
    assert.equal(litter.length, 4);
    using after = testPath();
    openPort(after, place.path);
    after.path.closeApp('shop');
    assert.deepEqual(readdirSync(place.folder).sort(), ['.app.sock.drover-12', '.app.sock.drover-13']);
    closeDescriptor(alive);
  });
});

describe('where no hard link can be made', { skip: noMounts }, () => {
  /** A file system with room for its own folder, two files and no further name; one of them is there. */
  const openTight = async (): Promise<Place> => {
    const place = await openPlace();
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=3', 'none', place.folder], { encoding: 'utf8' });
    assert.equal(mount.status, 0, mount.stderr);
    writeFileSync(join(place.folder, 'ballast'), '');
    return {
      ...place,
      async [Symbol.asyncDispose]() {
        // Lazily: workers that were killed just now may still have their sockets.
        spawnSync('umount', ['--lazy', place.folder]);
        await place[Symbol.asyncDispose]();
      },
    };
  };

  it('the path serves as it is; once removed it is told as lost, and made anew for the next worker', async () => {
    await using place = await openTight();
    using test = testPath();
    using worker = new TestWorker('worker');
    const port = openPort(test, place.path);
    worker.accept('own', port.shard(0).fd);
    assert.ok(await isAnsweredBy(place.path, 'worker'));
    assert.deepEqual(readdirSync(place.folder).sort(), ['app.sock', 'ballast']);
    unlinkSync(place.path);
    await until(() => told(test.events).length > 0, 'it is told');
    assert.deepEqual([told(test.events), existsSync(place.path)], [['path-lost'], false]);
    // The old socket's file still has its room, as long as somebody holds that socket.
    rmSync(join(place.folder, 'ballast'));
    using next = new TestWorker('next');
    next.accept('own', port.shard(1).fd);
    assert.ok(await isAnsweredBy(place.path, 'next'));
    test.path.closeApp('shop');
    assert.deepEqual(readdirSync(place.folder), []);
  });

  it('is not told as lost while nobody has it: somebody removes its path between binding it and its second name', async () => {
    await using place = await openPlace();
    const told: string[] = [];
    const open = (isNew: boolean): SocketFile => {
      const fd = unixListenSocket(place.path, { uid: null });
      unlinkSync(place.path);
      const onChange = (state: string): void => void told.push(state);
      const file = new SocketFile({ path: place.path, inode: inodeOf(fd), isNew, onChange, onTouch: () => undefined });
      closeDescriptor(fd);
      file.close();
      return file;
    };
    assert.deepEqual([open(true).state, told], ['lost', []]);
    assert.deepEqual([open(false).state, told], ['lost', ['lost']]);
  });
});
