import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TinyHeap } from '../../../test/support/tiny-heap.ts';
import { compareHeaps } from '../compare/compare-heaps.ts';
import { type JudgeOptions, judgeHeaps } from './judge-heaps.ts';
import type { HeapSuspect, HeapVerdict } from './verdict.ts';

const APP = '/srv/app/server.js';
const PACKAGE = '/srv/app/node_modules/memo/index.js';

/** A Map of `count` objects, in a table that is replaced whenever it grows. */
function growingMap(heap: TinyHeap, count: number): number {
  const map = heap.node('object', 'Map', 2001);
  const table = heap.node('array', '', 3001 + 2 * count, 16 * count);
  heap.edge(map, 'internal', 'table', table);
  for (let n = 0; n < count; n++) heap.edge(table, 'internal', String(n), heap.node('object', 'Session', 9001 + 2 * n));
  return map;
}

/** What is said of a heap in which that Map has 10, 60 and 110 objects. */
function judgeGrowth(hold: (heap: TinyHeap, map: number) => void, options: JudgeOptions = {}): HeapSuspect {
  const graphs = [10, 60, 110].map((count) => {
    const heap = new TinyHeap();
    hold(heap, growingMap(heap, count));
    return heap.graph();
  });
  const { verdict, suspects } = judgeHeaps(compareHeaps(graphs), options);
  assert.equal(verdict, 'leak');
  const [first] = suspects;
  assert.ok(first !== undefined);
  return first;
}

/** A Map of ten lists, each of which gets so many more in each step. */
function judgeLists(perStep: number): HeapVerdict {
  const graphs = [0, perStep, 2 * perStep].map((count) => {
    const heap = new TinyHeap();
    const { context } = heap.module(APP, 1001, 'const byUser = new Map();\n');
    const map = heap.node('object', 'Map', 1501);
    const table = heap.node('array', '', 1503, 160);
    heap.edge(context, 'context', 'byUser', map);
    heap.edge(map, 'internal', 'table', table);
    for (let user = 0; user < 10; user++) {
      const list = heap.node('object', 'Array', 1601 + 2 * user);
      const elements = heap.node('array', '', 3001 + 2 * user, 160);
      heap.edge(table, 'internal', String(user), list);
      heap.edge(list, 'internal', 'elements', elements);
      for (let n = 0; n < count; n++)
        heap.edge(elements, 'internal', String(n), heap.node('object', 'Visit', 9001 + 2 * (10 * n + user)));
    }
    return heap.graph();
  });
  return judgeHeaps(compareHeaps(graphs));
}

describe('the holder', () => {
  it('is what the whole name leads to', () => {
    const { holder } = judgeGrowth((heap, map) => {
      const { context } = heap.module(APP, 1001, 'const state = { sessions: new Map() };\n');
      const state = heap.node('object', 'Object', 1501);
      heap.edge(context, 'context', 'state', state);
      heap.edge(state, 'property', 'sessions', map);
    });
    assert.equal(holder, `the Map \`state.sessions\` at ${APP}:1 (module variable)`);
  });

  it('is a variable of a block, which V8 numbers', () => {
    const { holder } = judgeGrowth((heap, map) => {
      const { context } = heap.module(APP, 1001, '{\nlet last = 0;\nconst sessions = new Map();\n}\n');
      // `last` is a small integer: the Map is variable 0, and its name is the second.
      heap.edge(context, 'hidden', 0, map);
      heap.blockNames(context, 1501, ['last', 'sessions']);
    });
    assert.equal(holder, `the Map \`sessions\` at ${APP}:3 (module variable)`);
  });

  it('is a variable of a module whose own function is gone, told by the scopes inside', () => {
    const { holder } = judgeGrowth((heap, map) => {
      const script = heap.node('code', APP, 1101);
      heap.edge(script, 'internal', 'source', heap.node('string', 'const log = new Map();\nclass Cart {}\n', 1103));
      // jest's wrapper ran once; what is left are the methods of the class, in the class's own scope.
      const wrapper = heap.node('object', 'system / Context', 1501);
      heap.edge(wrapper, 'internal', 'scope_info', heap.node('code', 'system / ScopeInfo', 1502));
      heap.edge(wrapper, 'internal', 'previous', heap.nativeContext);
      heap.edge(wrapper, 'context', 'log', map);
      const scope = heap.scope(script, 1503, wrapper, 'Cart');
      heap.handle(heap.closure('add', script, scope, 1511));
    });
    assert.equal(holder, `the Map \`log\` at ${APP}:1 (module variable)`);
  });

  it('of what a WeakMap of a package keeps is whoever holds the key, not the package', () => {
    const { holder } = judgeGrowth((heap, map) => {
      const app = heap.module(APP, 1001, 'const sign = memo(signSlowly);\n');
      const memo = heap.module(PACKAGE, 1101, 'const stores = new WeakMap();\n');
      const sign = heap.closure('memoized', memo.script, memo.context, 1501);
      heap.edge(app.context, 'context', 'sign', sign);
      const stores = heap.node('object', 'WeakMap', 1601);
      const table = heap.node('array', '', 1603, 64);
      heap.edge(memo.context, 'context', 'stores', stores);
      heap.edge(stores, 'internal', 'table', table);
      const store = heap.node('object', 'Object', 1605);
      const entry = '1 / part of key (memoized @1501) -> value (Object @1605) pair in WeakMap (table @1603)';
      heap.edge(sign, 'internal', entry, store);
      heap.edge(table, 'internal', entry, store);
      heap.edge(store, 'property', 'cache', map);
    });
    assert.equal(holder, `the function memoized \`sign\` at ${APP}:1 (module variable)`);
  });

  it('of what a WeakMap keeps for objects that pile up is whoever keeps those objects', () => {
    const graphs = [10, 60, 110].map((count) => {
      const heap = new TinyHeap();
      const { context } = heap.module(APP, 1001, 'const seen = [];\nconst notes = new WeakMap();\n');
      const seen = heap.node('object', 'Array', 1501);
      const elements = heap.node('array', '', 3001 + 2 * count, 16 * count);
      const notes = heap.node('object', 'WeakMap', 1601);
      const table = heap.node('array', '', 5001 + 2 * count, 16 * count);
      heap.edge(context, 'context', 'seen', seen);
      heap.edge(context, 'context', 'notes', notes);
      heap.edge(seen, 'internal', 'elements', elements);
      heap.edge(notes, 'internal', 'table', table);
      for (let n = 0; n < count; n++) {
        const key = heap.node('object', 'Request', 9001 + 4 * n);
        const value = heap.node('object', 'Note', 9003 + 4 * n, 200);
        heap.edge(elements, 'internal', String(n), key);
        const name = `${n} / part of key (Request @${9001 + 4 * n}) -> value (Note @${9003 + 4 * n}) pair in WeakMap (table @${5001 + 2 * count})`;
        heap.edge(table, 'internal', name, value);
        heap.edge(key, 'internal', name, value);
      }
      return heap.graph();
    });
    const { suspects } = judgeHeaps(compareHeaps(graphs));
    assert.deepEqual(
      suspects.map(({ holder }) => holder),
      [`the Array \`seen\` at ${APP}:1 (module variable)`],
    );
    // The rest is the table of the WeakMap.
    assert.ok((suspects[0]?.growth?.share ?? 0) > 0.8);
  });

  it('of lists in a Map that has no more of them is the Map, and what is to be bounded are the lists', () => {
    const [first] = judgeLists(10).suspects;
    assert.equal(first?.holder, `the Map \`byUser\` at ${APP}:1 (module variable)`);
    assert.match(first.remedy, /^Give each Array in `byUser` a bound/);
    assert.equal(judgeLists(4).verdict, 'no-leak', 'a few more in each, and little in all');
  });

  it('of a property that a package does not write is where the application gives it a value', () => {
    const { holder } = judgeGrowth((heap, map) => {
      heap.module(APP, 1001, 'const app = new App();\n\napp.seen = new Map();\n');
      const memo = heap.module(PACKAGE, 1101, 'class App {}\nconst running = new App();\n');
      const running = heap.node('object', 'App', 1501);
      heap.place(running, memo.scriptId, 0, 6);
      heap.edge(memo.context, 'context', 'running', running);
      heap.edge(running, 'property', 'seen', map);
    });
    assert.equal(
      holder,
      `the Map \`seen\` of \`App\` at ${APP}:3 (property), reached through \`running\` at ${PACKAGE}:2`,
    );
  });

  it('is mapped from where its name stands, and not at all where that is not known', () => {
    // As a source map does: a place in the bundle is one in the file that stands there.
    const mapLocation: JudgeOptions['mapLocation'] = ({ column }) => ({
      file: column > 20 ? '/srv/app/src/sessions.ts' : '/srv/app/src/first.ts',
      line: 7,
      column: 3,
    });
    const judgeBundle = (text: string): HeapSuspect =>
      judgeGrowth(
        (heap, map) => {
          const { context } = heap.module(APP, 1001, text);
          heap.edge(context, 'context', 'sessions', map);
        },
        { mapLocation },
      );
    const readable = judgeBundle('const first = new Map(); const sessions = new Map();');
    assert.deepEqual(readable.holding.location, { file: '/srv/app/src/sessions.ts', line: 7, column: 3 });
    const minified = judgeBundle(`const first = new Map();${' '.repeat(3000)}const sessions = new Map();`);
    assert.deepEqual(minified.holding.location, { file: APP, line: 1, column: 1 });
  });
});
