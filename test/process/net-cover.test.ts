/** Nothing queued waits for a dead or blocked worker: siblings and successors accept in its place. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShardView } from '../../src/protocol/index.ts';
import { inodeOf, listenSocket, probeDispatch } from '../../src/os/index.ts';
import {
  ask,
  connectTo,
  idleHolder,
  openTestPort,
  portNumber,
  testPath,
  type TestPath,
  TestWorker,
  until,
} from './net-support.ts';

const { level, reason } = probeDispatch();

const shardsOf = ({ path }: TestPath): readonly ShardView[] => path.view('shop')[0]?.shards ?? [];

/** Workers that are attached before their processes run look blocked at first: until they have regained their weight. */
const settled = async (test: TestPath): Promise<void> =>
  until(() => shardsOf(test).every(({ coveredBy, weight }) => coveredBy === null && weight === 50), 'all is even');

for (const forced of ['exact', 'classic'] as const) {
  const skip = forced === 'exact' && level !== 'exact' ? (reason ?? true) : false;
  describe(`a shard at the ${forced} level`, { skip }, () => {
    it('is served by its next worker, with what the dead one left in its queue', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      const first = new TestWorker('first');
      first.accept('own', port.shard(0).fd);
      await until(async () => (await ask(portNumber(port))) === 'first', 'the first worker answers');
      await first.kill();
      first[Symbol.dispose]();

      const answers = Promise.all(Array.from({ length: 10 }, () => ask(portNumber(port))));
      await until(() => shardsOf(test)[0]?.acceptQueue === 10, 'ten connections wait');
      using second = new TestWorker('second');
      second.accept('own', port.shard(0).fd);
      assert.deepEqual(new Set(await answers), new Set(['second']));
    });

    it('is covered by a sibling when its worker dies, until there is another', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      using a = new TestWorker('a');
      const b = new TestWorker('b');
      for (const [slot, worker] of [a, b].entries()) {
        worker.accept('own', port.shard(slot).fd);
        test.path.attach(worker.holder(slot));
      }
      const names = new Set<string>();
      await until(async () => names.add(await ask(portNumber(port))).size === 2, 'both answer');
      await settled(test);
      const before = test.events.length;

      await b.kill();
      b[Symbol.dispose]();
      // Before the data path knows: half of these land in the dead worker's queue.
      const answers = Promise.all(Array.from({ length: 20 }, () => ask(portNumber(port))));
      await until(() => (shardsOf(test)[1]?.acceptQueue ?? 0) > 0, 'something waits for the dead one');
      test.path.detach('shop/1#b');
      assert.deepEqual(new Set(await answers), new Set(['a']));
      assert.deepEqual(
        shardsOf(test).map(({ weight, coveredBy }) => [weight, coveredBy]),
        [
          [100, null],
          [0, 'shop/0#a'],
        ],
      );

      using c = new TestWorker('c');
      c.accept('own', port.shard(1).fd);
      test.path.attach(c.holder(1));
      assert.equal(shardsOf(test)[1]?.coveredBy, null);
      await until(async () => (await ask(portNumber(port))) === 'c', 'the successor answers');
      const changes = test.events
        .slice(before)
        .flatMap((event) => ('slot' in event && event.slot === 1 ? [[event.type, event.by]] : []));
      // (More may follow: the successor is attached before its process runs, and looks blocked at first.)
      assert.deepEqual(changes.slice(0, 2), [
        ['covered', 'shop/0#a'],
        ['uncovered', 'shop/0#a'],
      ]);
    });

    it('loses its weight and is covered while its worker is blocked, and regains it afterwards', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      using a = new TestWorker('a');
      using b = new TestWorker('b');
      for (const [slot, worker] of [a, b].entries()) {
        worker.accept('own', port.shard(slot).fd);
        test.path.attach(worker.holder(slot));
      }
      const names = new Set<string>();
      await until(async () => names.add(await ask(portNumber(port))).size === 2, 'both answer');
      await settled(test);

      b.stall(3000);
      const answers: string[] = [];
      await until(async () => {
        answers.push(await ask(portNumber(port)));
        return shardsOf(test)[1]?.coveredBy === 'shop/0#a';
      }, 'the blocked worker is covered');
      assert.ok((shardsOf(test)[1]?.weight ?? 100) < 25);
      await until(() => shardsOf(test)[1]?.coveredBy === null && shardsOf(test)[1]?.weight === 50, 'it recovers');
      names.clear();
      await until(async () => names.add(await ask(portNumber(port))).size === 2, 'both answer again');
    });

    it('is emptied and goes when the worker of its slot turns out to accept on another socket', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      for (const slot of [0, 1]) port.shard(slot);
      const clients = [await connectTo(portNumber(port))];
      await until(async () => {
        if ((shardsOf(test)[1]?.acceptQueue ?? 0) > 0) return true;
        clients.push(await connectTo(portNumber(port)));
        return false;
      }, 'somebody waits in the shard of the second slot');

      const address = port.address as Extract<typeof port.address, { kind: 'tcp' }>;
      const own = listenSocket({ ...address, reusePort: true });
      const inode = inodeOf(own);
      test.path.adoptPort({ app: 'shop', address, fd: own, slot: 1, sticky: false });
      const given = new Map<number, number>();
      test.path.attach({ ...idleHolder(1), cover: (_key, of, fd) => given.set(of, fd) });
      assert.equal(port.isShardAmong(1, new Set([inode])), true);
      const { id } = idleHolder(1);
      assert.deepEqual(
        shardsOf(test).map(({ slot, coveredBy }) => [slot, coveredBy]),
        [
          [0, id],
          [1, id],
          [1, null],
        ],
        'whoever has its slot now does not have it, and covers it as others',
      );
      using worker = new TestWorker('worker');
      worker.accept('cover', given.get(1) ?? assert.fail('nobody covers'));
      await until(() => shardsOf(test).length === 2, 'it is gone');
      assert.equal(port.isShardAmong(1, new Set([inode])), true);
      for (const client of clients) client.destroy();
    });

    it('gets another cover when the one that covers it goes', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      const covers: string[] = [];
      for (const slot of [0, 1, 2]) port.shard(slot);
      for (const name of ['0#old', '1#old']) {
        const slot = Number(name[0]);
        test.path.attach({ ...idleHolder(slot), id: name, cover: (_key, of) => covers.push(`${name} for ${of}`) });
      }
      covers.length = 0;
      const coverer = shardsOf(test)[2]?.coveredBy ?? '';
      assert.match(coverer, /old/);
      // A handover in the slot that covers: the new worker is there before the old one goes.
      const slot = Number(coverer[0]);
      test.path.attach({ ...idleHolder(slot), id: `${slot}#new`, cover: (_key, of) => covers.push(`new for ${of}`) });
      test.path.detach(coverer);
      const now = shardsOf(test)[2]?.coveredBy;
      assert.ok(now !== null && now !== coverer, String(now));
      assert.equal(covers.length, 1);
    });

    it('is given up only when it is empty, without an error for anybody', async () => {
      using test = testPath({ level: forced });
      const port = openTestPort(test.path);
      using a = new TestWorker('a');
      using b = new TestWorker('b');
      for (const [slot, worker] of [a, b].entries()) {
        worker.accept('own', port.shard(slot).fd);
        test.path.attach(worker.holder(slot));
      }
      const over = new AbortController();
      let asked = 0;
      const clients = Array.from({ length: 4 }, async () => {
        for (; !over.signal.aborted; asked += 1) await ask(portNumber(port));
      });
      await until(() => asked > 50, 'clients ask');
      await settled(test);
      const gone = port.giveUp(1);
      await until(() => shardsOf(test).find(({ slot }) => slot === 1)?.weight === 0, 'it has no weight');
      test.path.detach('shop/1#b');
      b.stop('own');
      await gone;
      const before = asked;
      await until(() => asked > before + 50, 'clients go on');
      over.abort();
      await Promise.all(clients);
      assert.deepEqual(
        shardsOf(test).map(({ slot, weight }) => [slot, weight]),
        [[0, 100]],
      );
      // And the place can be taken again.
      port.shard(1);
      test.path.attach(idleHolder(1));
      assert.deepEqual(
        shardsOf(test).map(({ weight }) => weight),
        [50, 50],
      );
    });

    it('keeps the places of the others when it is given up', async () => {
      using test = testPath({ level: forced, feedback: false });
      const port = openTestPort(test.path);
      for (const slot of [0, 1, 2, 3]) {
        port.shard(slot);
        test.path.attach(idleHolder(slot));
      }
      // The kernel moves the last socket into the place of the one that is closed.
      test.path.detach('shop/1#stable');
      await port.giveUp(1);
      test.path.setSlotFactor('shop', 3, 'stable', 0);
      const sockets = await Promise.all(Array.from({ length: 60 }, () => connectTo(portNumber(port))));
      const [zero = 0, two = 0, three] = shardsOf(test).map(({ acceptQueue }) => acceptQueue ?? 0);
      assert.deepEqual([zero + two, three], [60, 0]);
      assert.ok(zero > 0 && two > 0);
      for (const socket of sockets) socket.destroy();
    });
  });
}
