import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TinyHeap } from '../../../test/support/tiny-heap.ts';
import { compareHeaps } from '../compare/compare-heaps.ts';
import type { HeapGraph } from '../model/graph.ts';
import { judgeHeaps } from './judge-heaps.ts';
import type { HeapVerdict } from './verdict.ts';

const FILE = '/srv/app/src/cache.js';
const SOURCE = 'const first = 1;\n\nconst sessions = new Map();\nclass Session {}\nexports.load = () => first;\n';
const BASE = 1001;

/** Objects are numbered over the life of the process: number n has ids from here on. */
const idOf = (n: number): number => 100_001 + n * 10;

interface World {
  readonly heap: TinyHeap;
  readonly context: number;
  readonly script: number;
  readonly scriptId: number;
}

type Fill = (world: World) => void;

function snapshot(fill: Fill, file = FILE): HeapGraph {
  const heap = new TinyHeap();
  const { context, script, scriptId } = heap.module(file, BASE, SOURCE);
  fill({ heap, context, script, scriptId });
  return heap.graph();
}

const judge = (...fills: readonly Fill[]): HeapVerdict => judgeHeaps(compareHeaps(fills.map((fill) => snapshot(fill))));

/** A Map `sessions` with objects `from` up to `to`; its table is made anew whenever its size changes, unless it has an id. */
const sessions =
  (from: number, to: number, className = 'Session', tableId = 3001 + 2 * to): Fill =>
  ({ heap, context }) => {
    const map = heap.node('object', 'Map', 2001);
    const table = heap.node('array', '', tableId, 16 * (to - from));
    heap.edge(context, 'context', 'sessions', map);
    heap.edge(map, 'internal', 'table', table);
    for (let n = from; n < to; n++) {
      heap.edge(table, 'internal', String(2 * n), heap.node('string', `key ${n}`, idOf(n) + 2));
      heap.edge(table, 'internal', String(2 * n + 1), heap.node('object', className, idOf(n), 64));
    }
  };

describe('judgeHeaps', () => {
  it('calls a Map that gains the same in each step a leak, and names the variable with its line', () => {
    const { verdict, suspects, confidence } = judge(sessions(0, 10), sessions(0, 60), sessions(0, 110));
    assert.equal(verdict, 'leak');
    assert.ok(confidence > 0.8);
    const [first] = suspects;
    assert.equal(first?.pattern, 'collection');
    assert.equal(first.className, 'Session');
    assert.deepEqual(first.counts, [10, 60, 110]);
    assert.deepEqual(first.growth?.objects, [50, 50]);
    assert.equal(first.holder, 'the Map `sessions` at /srv/app/src/cache.js:3 (module variable)');
    assert.deepEqual(first.holding.location, { file: FILE, line: 3, column: 1 });
    assert.match(first.remedyCode, /sessions\.size > MAX/);
    assert.deepEqual(
      first.path.map(({ edge, node }) => `${edge} ${node}`),
      [` module ${FILE}`, 'variable sessions Map', '[] Session'],
    );
  });

  it('finds the same leak whether the table has room in a step or is replaced in it', () => {
    for (const [a, b, c] of [
      [3001, 3001, 3003],
      [3001, 3003, 3003],
      [3001, 3001, 3001],
    ] as const) {
      const fills = [sessions(0, 10, 'Session', a), sessions(0, 60, 'Session', b), sessions(0, 110, 'Session', c)];
      const { verdict, suspects } = judge(...fills);
      assert.equal(verdict, 'leak', `${a}, ${b}, ${c}`);
      assert.deepEqual(suspects[0]?.growth?.objects, [50, 50]);
      assert.equal(suspects[0].holder, 'the Map `sessions` at /srv/app/src/cache.js:3 (module variable)');
    }
  });

  it('counts entries that have lost a part, as connections lose their sockets', () => {
    const connections =
      (from: number, to: number): Fill =>
      ({ heap, context }) => {
        const map = heap.node('object', 'Map', 2001);
        const table = heap.node('array', '', 3001);
        heap.edge(context, 'context', 'sessions', map);
        heap.edge(map, 'internal', 'table', table);
        for (let n = 0; n < to; n++) {
          const session = heap.node('object', 'Session', idOf(n), 640);
          heap.edge(table, 'internal', String(n), session);
          if (n >= from) heap.edge(session, 'property', 'socket', heap.node('object', 'Socket', idOf(n) + 4, 64));
        }
      };
    const { verdict, suspects } = judge(connections(0, 10), connections(10, 60), connections(60, 110));
    assert.equal(verdict, 'leak');
    assert.equal(suspects[0]?.className, 'Session');
  });

  it('writes paths relative to the root it is given', () => {
    const comparison = compareHeaps([sessions(0, 10), sessions(0, 60), sessions(0, 110)].map((fill) => snapshot(fill)));
    const { suspects } = judgeHeaps(comparison, { root: '/srv/app' });
    assert.equal(suspects[0]?.holding.location?.file, 'src/cache.js');
  });

  it('calls a Map of constant size healthy although all that is in it was replaced', () => {
    assert.equal(judge(sessions(0, 50), sessions(50, 100), sessions(100, 150)).verdict, 'no-leak');
  });

  it('calls a Map that is larger each time healthy when what came first has gone', () => {
    const { verdict, reasons } = judge(sessions(0, 20), sessions(20, 70), sessions(70, 170));
    assert.equal(verdict, 'no-leak');
    assert.ok(reasons.some((reason) => reason.includes('its contents are replaced')));
  });

  it('calls a Map that fills up in the first step healthy, and says that it settled', () => {
    const { verdict, reasons } = judge(sessions(0, 10), sessions(0, 100), sessions(0, 104));
    assert.equal(verdict, 'no-leak');
    assert.ok(reasons.some((reason) => reason.includes('`sessions`') && reason.includes('fills up')));
  });

  it('finds a slow leak among entries that come and go', () => {
    const churn =
      (step: number): Fill =>
      (world) => {
        // Of 200 entries a step ten stay for ever.
        const stayed = Array.from({ length: step * 10 }, (_, n) => 1000 * Math.floor(n / 10 + 1) + (n % 10));
        const passing = Array.from({ length: 200 }, (_, n) => 1000 * step + 10 + n);
        const map = world.heap.node('object', 'Map', 2001);
        const table = world.heap.node('array', '', 3001 + 2 * step, 16);
        world.heap.edge(world.context, 'context', 'sessions', map);
        world.heap.edge(map, 'internal', 'table', table);
        for (const n of [...stayed, ...passing]) {
          world.heap.edge(table, 'internal', String(n), world.heap.node('object', 'Session', idOf(n), 64));
        }
      };
    const { verdict, suspects } = judge(churn(0), churn(1), churn(2));
    assert.equal(verdict, 'leak');
    assert.deepEqual(suspects[0]?.growth?.objects, [10, 10]);
  });

  it('does not count what only compiled code reaches', () => {
    const compiled =
      (count: number): Fill =>
      ({ heap, script }) => {
        const feedback = heap.node('code', 'system / FeedbackVector', 2001);
        heap.edge(script, 'internal', 'feedback', feedback);
        for (let n = 0; n < count; n++) heap.edge(feedback, 'hidden', n, heap.node('object', 'Object', idOf(n), 500));
      };
    assert.equal(judge(compiled(10), compiled(500), compiled(1000)).verdict, 'no-leak');
  });

  it('tells listeners by the table of events, and names event and emitter', () => {
    const listeners =
      (count: number): Fill =>
      ({ heap, context, script, scriptId }) => {
        const emitter = heap.node('object', 'EventEmitter', 2001);
        const events = heap.node('object', 'Object', 2003);
        const list = heap.node('object', 'Array', 2005);
        heap.edge(context, 'context', 'feed', emitter);
        heap.edge(emitter, 'property', '_events', events);
        heap.edge(events, 'property', 'price', list);
        for (let n = 0; n < count; n++) {
          const listener = heap.closure('onPrice', script, context, idOf(n), { scriptId, line: 30, column: 4 });
          heap.edge(list, 'element', n, listener);
        }
      };
    const [first] = judge(listeners(10), listeners(60), listeners(110)).suspects;
    assert.equal(first?.pattern, 'listeners');
    assert.match(first.holder, /^listeners for `price` of the EventEmitter `feed`/);
    assert.equal(first.holding.name, 'price');
    assert.equal(first.allocation, `onPrice at ${FILE}:31:5`);
    assert.match(first.remedyCode, /feed\.off\('price', onPrice\)/);
  });

  it('counts the links of a list that is prepended to, and names the variable at its head', () => {
    const list =
      (count: number): Fill =>
      ({ heap, context }) => {
        let head = heap.node('object', 'Entry', idOf(0), 48);
        for (let n = 1; n < count; n++) {
          const entry = heap.node('object', 'Entry', idOf(n), 48);
          heap.edge(entry, 'property', 'next', head);
          head = entry;
        }
        heap.edge(context, 'context', 'sessions', head);
      };
    const [first] = judge(list(10), list(60), list(110)).suspects;
    assert.equal(first?.pattern, 'collection');
    assert.deepEqual(first.counts, [10, 60, 110]);
    assert.match(first.holder, /`sessions` at/);
  });

  it('ranks two leaks by what they gained', () => {
    const both =
      (small: number, large: number): Fill =>
      (world) => {
        sessions(0, large)(world);
        const list = world.heap.node('object', 'Array', 2011);
        world.heap.edge(world.context, 'context', 'log', list);
        for (let n = 0; n < small; n++) {
          world.heap.edge(list, 'element', n, world.heap.node('object', 'Line', idOf(5 * n) + 4, 40));
        }
      };
    const { suspects } = judge(both(5, 20), both(25, 120), both(45, 220));
    assert.deepEqual(
      suspects.map(({ rank, holding }) => `${rank} ${holding.name}`),
      ['1 sessions', '2 log'],
    );
  });

  it('says inconclusive of snapshots whose objects are not of one process', () => {
    const { verdict, headline, suspects } = judge(
      sessions(0, 100),
      sessions(0, 100, 'Order'),
      sessions(0, 100, 'Bill'),
    );
    assert.equal(verdict, 'inconclusive');
    assert.match(headline, /different processes/);
    assert.deepEqual(suspects, []);
  });

  it('says inconclusive of snapshots out of order, and of the same one twice', () => {
    const [a, b, c] = [sessions(0, 10), sessions(0, 60), sessions(0, 110)];
    for (const [fills, why] of [
      [[c, b, a], /not in the order/],
      [[a, c, b], /not in the order/],
      [[a, b, b], /the same one/],
      [[a, a], /the same one/],
    ] as const) {
      const { verdict, reasons, headline } = judge(...fills);
      assert.equal(verdict, 'inconclusive');
      assert.match([headline, ...reasons].join(' '), why);
    }
  });

  it('is less sure with two snapshots, and undecided where warm-up would look the same', () => {
    const sure = judge(sessions(0, 10), sessions(0, 400));
    assert.equal(sure.verdict, 'leak');
    assert.ok(sure.confidence <= 0.65);
    const quiet = judge(sessions(0, 10), sessions(0, 14));
    assert.equal(quiet.verdict, 'no-leak');
  });

  it('does not take modules that are loaded one after another for a leak', () => {
    const loaded =
      (count: number): Fill =>
      ({ heap, context }) => {
        const map = heap.node('object', 'Map', 2001);
        heap.edge(context, 'context', 'routes', map);
        const table = heap.node('array', '', 3001 + 2 * count, 16);
        heap.edge(map, 'internal', 'table', table);
        for (let n = 0; n < count; n++) {
          const id = 500_001 + n * 100;
          const script = heap.node('code', `/srv/app/routes/${n}.js`, id);
          heap.edge(script, 'internal', 'source', heap.node('string', '', id + 2));
          heap.edge(table, 'internal', String(n), heap.closure('route', script, context, id + 4));
        }
      };
    assert.equal(judge(loaded(10), loaded(30), loaded(50)).verdict, 'no-leak');
  });
});
