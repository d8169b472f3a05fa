/** Programs on reuseport groups, as the kernel runs them: counted by what waits in the queues. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  attachClassic,
  detachProgram,
  ExactDispatch,
  inodeOf,
  listenersBeside,
  probeDispatch,
  stickyBucket,
} from '../../src/os/index.ts';
import { ATTACH_STICKY, Group, SIZE } from './os-group.ts';

const { level, reason } = probeDispatch();
const run = promisify(execFile);
const noNamespace = whyNoNamespace();

/** False where a test may have a network of its own. */
function whyNoNamespace(): string | false {
  try {
    execFileSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs root, unshare and ip';
  }
}

const clients = Array.from({ length: 100 }, (_, n) => `127.${n % 3}.${n % 7}.${n + 1}`);
const wordOf = (client: string): number => Buffer.from(client.split('.').map(Number)).readUInt32BE();

describe('a sticky program', () => {
  for (const [name, put] of Object.entries(ATTACH_STICKY)) {
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

    it(`tells IPv6 clients apart (${name})`, { skip: skip || noNamespace }, async () => {
      // The loopback has one IPv6 address; a network of its own may have more.
      const addresses = Array.from(
        { length: 12 },
        (_, n) => `fd00::${(n + 1).toString(16)}:0:${(n * 7 + 1).toString(16)}`,
      );
      const add = addresses.map((each) => `ip -6 addr add ${each}/128 dev lo nodad`).join(' && ');
      const program = fileURLToPath(new URL('os-dispatch-v6.ts', import.meta.url));
      const { stdout } = await run('unshare', [
        '-n',
        'sh',
        '-c',
        `ip link set lo up && ${add} && exec "$@"`,
        'sh',
        process.execPath,
        program,
        name,
        ...addresses,
      ]);
      const expected = addresses.map((_, n) => stickyBucket([0xfd000000, 0, n + 1, n * 7 + 1]) % SIZE);
      assert.deepEqual(JSON.parse(stdout), expected);
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
    const dispatch = ExactDispatch.create('in-turn');
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

  it('deals in runs where its turns are stretched, and counts what each socket was given', async () => {
    using group = new Group(3);
    const dispatch = ExactDispatch.create('in-turn');
    group.fds.forEach((fd, index) => dispatch.setSocket(index, fd));
    dispatch.setSchedule([0, 1, 2], 2);
    dispatch.attach(group.fds[0]!);
    for (const expected of [
      [4, 0, 0],
      [4, 4, 0],
      [4, 4, 4],
      [8, 4, 4],
    ]) {
      await group.connect(4);
      assert.deepEqual(group.depths, expected);
      assert.deepEqual([0, 1, 2].map(dispatch.counts()), expected);
    }
    assert.equal(dispatch.counts()(3), 0);
    assert.throws(() => dispatch.setSchedule([0], 16), RangeError);
    dispatch.close();
  });

  it('frees its sockets once it is detached', async () => {
    using group = new Group(1);
    const first = ExactDispatch.create('in-turn');
    assert.ok(first.setSocket(0, group.fds[0]!));
    first.attach(group.fds[0]!);
    first.close();
    const second = ExactDispatch.create('in-turn');
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
