/** Programs on reuseport groups, as the kernel runs them: counted by what waits in the queues. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptQueue,
  attachClassic,
  closeDescriptor,
  detachProgram,
  ExactDispatch,
  inodeOf,
  listenersBeside,
  listenSocket,
  probeDispatch,
  socketAddress,
  stickyBucket,
} from '../../src/os/index.ts';
import { connectTo } from './net-support.ts';

const { level, reason } = probeDispatch();

class Group implements Disposable {
  readonly fds: readonly number[];
  readonly port: number;

  constructor(size: number, host = '127.0.0.1') {
    const options = { host, v6only: host === '::1', reusePort: true };
    const first = listenSocket({ ...options, port: 0 });
    const address = socketAddress(first);
    this.port = address.kind === 'tcp' ? address.port : 0;
    const more = Array.from({ length: size - 1 }, () => listenSocket({ ...options, port: this.port }));
    this.fds = [first, ...more];
  }

  get depths(): readonly number[] {
    return this.fds.map((fd) => acceptQueue(fd)?.depth ?? 0);
  }

  async connect(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) (await connectTo(this.port)).unref();
  }

  /** Which socket of the group a client gets. */
  async placeOf(host: string, client: string): Promise<number> {
    const before = this.depths;
    (await connectTo(this.port, host, client)).unref();
    return this.depths.findIndex((depth, at) => depth > (before[at] ?? 0));
  }

  [Symbol.dispose](): void {
    for (const fd of this.fds) closeDescriptor(fd);
  }
}

const SIZE = 64;
const table = Array.from({ length: 256 }, (_, bucket) => bucket % SIZE);
const clients = Array.from({ length: 100 }, (_, n) => `127.${n % 3}.${n % 7}.${n + 1}`);
const wordOf = (client: string): number => Buffer.from(client.split('.').map(Number)).readUInt32BE();

describe('a sticky program', () => {
  const attach: Readonly<Record<string, (group: Group) => void>> = {
    classic: (group) => attachClassic(group.fds[0]!, { kind: 'sticky', table }),
    exact: (group) => {
      const dispatch = ExactDispatch.create(SIZE, 'sticky');
      group.fds.forEach((fd, index) => assert.ok(dispatch.setSocket(index, fd)));
      dispatch.setSchedule(table);
      dispatch.attach(group.fds[0]!);
      dispatch.close();
    },
  };
  for (const [name, put] of Object.entries(attach)) {
    const skip = name === 'exact' && level !== 'exact' ? (reason ?? true) : false;
    it(`picks by the client's IPv4 address (${name})`, { skip }, async () => {
      using group = new Group(SIZE);
      put(group);
      for (const client of clients) {
        assert.equal(await group.placeOf('127.0.0.1', client), stickyBucket([wordOf(client)]) % SIZE, client);
      }
    });

    it(`picks by the client's IPv6 address (${name})`, { skip }, async () => {
      using group = new Group(SIZE, '::1');
      put(group);
      for (let n = 0; n < 5; n += 1) {
        assert.equal(await group.placeOf('::1', '::1'), stickyBucket([0, 0, 0, 1]) % SIZE);
      }
    });

    it(`picks by the IPv4 address of clients of a dual-stack socket (${name})`, { skip }, async () => {
      using group = new Group(SIZE, '::ffff:127.0.0.1');
      put(group);
      for (const client of clients.slice(0, 10)) {
        assert.equal(await group.placeOf('127.0.0.1', client), stickyBucket([wordOf(client)]) % SIZE, client);
      }
    });
  }
});

describe('a classic program', () => {
  it('gives nothing to a weight of zero, wherever it stands', async () => {
    using group = new Group(4);
    attachClassic(group.fds[0]!, { kind: 'weights', weights: [0, 1, 1, 0] });
    await group.connect(60);
    const [first, second = 0, third = 0, last] = group.depths;
    assert.deepEqual([first, last, second + third], [0, 0, 60]);
    assert.ok(second > 0 && third > 0);
  });
});

describe('an exact program', { skip: level === 'exact' ? false : (reason ?? true) }, () => {
  it('walks its schedule in turn, from one that is shorter than a power of two', async () => {
    using group = new Group(3);
    const dispatch = ExactDispatch.create(3, 'in-turn');
    group.fds.forEach((fd, index) => dispatch.setSocket(index, fd));
    dispatch.setSchedule([0, 1, 0, 2, 0]);
    dispatch.attach(group.fds[0]!);
    await group.connect(50);
    assert.deepEqual(group.depths, [30, 10, 10]);
    dispatch.setSchedule([2]);
    await group.connect(5);
    assert.deepEqual(group.depths, [30, 10, 15]);
    dispatch.close();
  });

  it('frees its sockets once it is detached', async () => {
    using group = new Group(1);
    const first = ExactDispatch.create(1, 'in-turn');
    assert.ok(first.setSocket(0, group.fds[0]!));
    first.attach(group.fds[0]!);
    first.close();
    const second = ExactDispatch.create(1, 'in-turn');
    assert.equal(second.setSocket(0, group.fds[0]!), false);
    detachProgram(group.fds[0]!);
    const deadline = performance.now() + 5000;
    while (!second.setSocket(0, group.fds[0]!)) {
      assert.ok(performance.now() < deadline, 'never freed');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    second.close();
  });
});

describe('the order of a group', () => {
  for (const host of ['127.0.0.1', '::1']) {
    it(`can be read on ${host}`, () => {
      using group = new Group(5, host);
      assert.deepEqual(listenersBeside(inodeOf(group.fds[0]!), group.port), group.fds.map(inodeOf));
    });
  }
});
