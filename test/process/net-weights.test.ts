/** Shares of new connections at each dispatch level, as the kernel deals them out. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { DataPath, Port } from '../../src/net/index.ts';
import { probeDispatch } from '../../src/os/index.ts';
import type { Lane } from '../../src/protocol/index.ts';
import { ask, connectTo, idleHolder, openTestPort, portNumber, testPath, TestWorker, until } from './net-support.ts';

const { level, reason } = probeDispatch();
const noExact = level === 'exact' ? false : (reason ?? true);
const CONNECTIONS = 1000;

interface Case {
  readonly title: string;
  readonly lanes: Readonly<Record<Lane, number>>;
  readonly places: readonly (readonly [slot: number, lane: Lane])[];
  /** Expected shares, and the number of connections after which they come out whole. */
  readonly shares: readonly number[];
  readonly turn: number;
}

const TWO = [
  [0, 'stable'],
  [0, 'candidate'],
] as const;
const CASES: readonly Case[] = [
  { title: '95/5', lanes: { stable: 95, candidate: 5 }, places: TWO, shares: [0.95, 0.05], turn: 20 },
  { title: '90/10', lanes: { stable: 90, candidate: 10 }, places: TWO, shares: [0.9, 0.1], turn: 10 },
  { title: '50/50', lanes: { stable: 50, candidate: 50 }, places: TWO, shares: [0.5, 0.5], turn: 2 },
  {
    title: '4 equal shards',
    lanes: { stable: 100, candidate: 0 },
    places: [0, 1, 2, 3].map((slot) => [slot, 'stable'] as const),
    shares: [0.25, 0.25, 0.25, 0.25],
    turn: 4,
  },
];

function prepare(path: DataPath, { lanes, places }: Case): Port {
  const port = openTestPort(path);
  for (const [slot, lane] of places) port.shard(slot, lane);
  path.setLaneWeights('shop', lanes);
  for (const [slot, lane] of places) path.attach(idleHolder(slot, lane));
  return port;
}

function depths(path: DataPath, { places }: Case): readonly number[] {
  const shards = path.view('shop')[0]?.shards ?? [];
  return places.map(
    ([slot, lane]) => shards.find((each) => each.slot === slot && each.lane === lane)?.acceptQueue ?? 0,
  );
}

describe('weights at the exact level', { skip: noExact }, () => {
  for (const each of CASES) {
    it(`are off by at most one connection in each turn: ${each.title}`, async () => {
      using test = testPath({ level: 'exact', feedback: false });
      const number = portNumber(prepare(test.path, each));
      const sockets: Socket[] = [];
      let before = depths(test.path, each);
      for (let n = 1; n <= CONNECTIONS; n += 1) {
        sockets.push(await connectTo(number));
        if (n % each.turn !== 0) continue;
        const now = depths(test.path, each);
        for (const [at, share] of each.shares.entries()) {
          const got = (now[at] ?? 0) - (before[at] ?? 0);
          assert.ok(Math.abs(got - share * each.turn) <= 1, `turn ${n / each.turn}: ${got} of ${share * each.turn}`);
        }
        before = now;
      }
      for (const [at, share] of each.shares.entries()) {
        assert.ok(Math.abs((before[at] ?? 0) - share * CONNECTIONS) <= 1, before.join('/'));
      }
      for (const socket of sockets) socket.destroy();
    });
  }
});

describe('weights at the classic level', () => {
  for (const each of CASES) {
    it(`are within six standard deviations: ${each.title}`, async () => {
      using test = testPath({ level: 'classic', feedback: false });
      const number = portNumber(prepare(test.path, each));
      const sockets: Socket[] = [];
      for (let n = 0; n < CONNECTIONS; n += 1) sockets.push(await connectTo(number));
      const got = depths(test.path, each);
      assert.equal(
        got.reduce((sum, depth) => sum + depth, 0),
        CONNECTIONS,
      );
      for (const [at, share] of each.shares.entries()) {
        const deviation = Math.sqrt(CONNECTIONS * share * (1 - share));
        assert.ok(Math.abs((got[at] ?? 0) - share * CONNECTIONS) <= 6 * deviation, got.join('/'));
      }
      for (const socket of sockets) socket.destroy();
    });
  }
});

describe('the shared level', () => {
  it('has one socket for all, and no weights', () => {
    using test = testPath({ level: 'shared' });
    const port = openTestPort(test.path);
    assert.equal(port.shard(0).inode, port.shard(3).inode);
    test.path.attach(idleHolder(0));
    test.path.attach(idleHolder(3));
    assert.deepEqual(
      test.path.view('shop')[0]?.shards.map(({ weight }) => weight),
      [50, 50],
    );
  });
});

for (const forced of ['exact', 'classic'] as const) {
  describe(`changes under load at the ${forced} level`, { skip: forced === 'exact' ? noExact : false }, () => {
    it('lose no connection, and leave a lane of weight 0 alone', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      const number = portNumber(port);
      using a = new TestWorker('a');
      using b = new TestWorker('b');
      for (const [worker, slot, lane] of [
        [a, 0, 'stable'],
        [b, 0, 'candidate'],
      ] as const) {
        worker.accept('own', port.shard(slot, lane).fd);
        test.path.attach(worker.holder(slot, lane));
      }
      await until(async () => (await ask(number)) === 'a', 'the stable lane answers');

      const over = new AbortController();
      let asked = 0;
      const clients = Array.from({ length: 8 }, async () => {
        while (!over.signal.aborted) {
          await ask(number);
          asked += 1;
        }
      });
      for (let n = 0; n < 40; n += 1) {
        const candidate = (n * 37) % 101;
        test.path.setLaneWeights('shop', { stable: 100 - candidate, candidate });
        await until(() => asked > n * 20, 'clients go on');
      }
      test.path.setLaneWeights('shop', { stable: 0, candidate: 100 });
      over.abort();
      await Promise.all(clients);
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(number)));
      assert.deepEqual(new Set(answers), new Set(['b']));
    });

    it('take a worker off rotation by its factor', async () => {
      using test = testPath({ level: forced, feedback: false });
      const port = openTestPort(test.path);
      for (const slot of [0, 1, 2]) {
        port.shard(slot);
        test.path.attach(idleHolder(slot));
      }
      test.path.setSlotFactor('shop', 1, 'stable', 0);
      const sockets = await Promise.all(Array.from({ length: 60 }, () => connectTo(portNumber(port))));
      const shards = test.path.view('shop')[0]?.shards ?? [];
      assert.deepEqual(
        shards.map(({ weight }) => weight),
        [50, 0, 50],
      );
      assert.equal(shards[1]?.acceptQueue, 0);
      for (const socket of sockets) socket.destroy();
    });
  });
}
