/**
 * Fills its heap with objects of every kind that Node code makes, and writes a snapshot of it: `many-kinds.mjs FILE COUNT
 * [plain|internals|timeline]`, some 1.7 KB of snapshot for each of COUNT. `internals` has V8 tell what it usually hides,
 * `timeline` tracks allocations from the beginning.
 */
import { EventEmitter } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { Session } from 'node:inspector';
import { Readable, Transform } from 'node:stream';
import { writeHeapSnapshot } from 'node:v8';
import { createContext, runInContext, runInThisContext } from 'node:vm';

const [file, countText, kind = 'plain'] = process.argv.slice(2);
const count = Number(countText);

const session = new Session();
if (kind === 'timeline') {
  session.connect();
  session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
}

class Item {
  #secret = { hidden: true };
  constructor(at) {
    this.at = at;
    this.name = `item ${at}`;
    this.tags = [`tag${at % 7}`, { rank: at }];
    this.read = () => this.#secret && this.at;
  }
}
class SubItem extends Item {
  index = new Map([
    [1, { x: 1 }],
    ['é"\\\n', 2],
    ['\u{1f600} \ud800 lone', 3],
  ]);
  seen = new Set([1, 2, 3]);
}
/** Another class of that name: only the place tells them apart. */
const Other = (() => {
  class Item {
    other = { deep: { deeper: [1, 2, 3] } };
  }
  return Item;
})();

const kept = [];
const weakMap = new WeakMap();
const chain = new WeakMap();
const weakSet = new WeakSet();
const registry = new FinalizationRegistry(() => {});
const emitter = new EventEmitter().setMaxListeners(0);
const contexts = [createContext({ inside: [] }), createContext({ other: {} })];
let link = { first: true };

function* numbers() {
  for (;;) yield kept.length;
}

for (let at = 0; at < count; at += 1) {
  const item = at % 3 === 0 ? new SubItem(at) : at % 11 === 0 ? new Other() : new Item(at);
  kept.push(item);
  if (at % 5 === 0) weakMap.set(item, { value: new Item(-at), key: item });
  if (at % 50 === 0) {
    // A chain through a WeakMap, whose keys live only as long as what was put in before.
    const next = { at };
    chain.set(link, next);
    link = next;
  }
  if (at % 10 === 0) {
    weakSet.add(item);
    kept.push(new WeakRef(item));
    registry.register(item, { note: at });
  }
  if (at % 100 === 0) emitter.on(`event ${at % 1000}`, () => item);
  if (at % 20 === 0) {
    kept.push(
      { id: at, name: `x${at}`, inner: { one: 1 } },
      { name: `y${at}`, id: at, more: null },
      { at, 'a,"{b': 2, [Symbol(`s${at}`)]: 3 },
      Promise.resolve({ at }),
      new Promise(() => {}),
      new Date(at),
      new RegExp(`x${at}`),
      BigInt(at) ** 20n,
      new Uint8Array(10 + (at % 100)),
      Buffer.alloc(2000 + (at % 100)),
      new Error(`error ${at}`),
      new Proxy({ target: at }, {}),
      numbers(),
      Object.freeze([at, `${at}`]),
      `cons ${at}${'tail'.repeat(at % 9)}`,
      `a long enough string to be sliced later ${at}`.slice(3, 30),
      runInThisContext(`(() => ${at})`),
    );
  }
  if (at % 9 === 0) {
    const dictionary = {};
    for (let key = 0; key < 40; key += 1) dictionary[`key${(at + key) % 97}`] = key;
    delete dictionary.key3;
    kept.push(dictionary, Object.defineProperty({}, 'got', { get: () => at, enumerable: true }));
  }
  if (at % 500 === 0) {
    const sparse = [];
    sparse[at * 10 + 5000] = item;
    kept.push(sparse, new Readable({ read() {} }), new Transform(), new AbortController(), new URL(`http://h/${at}`));
    kept.push(new Intl.NumberFormat('en'), new TextEncoder(), new MessageChannel(), structuredClone(dictionaryOf(at)));
    for (const context of contexts) kept.push(runInContext(`({ from: ${at}, list: [1, 2, { three: 3 }] })`, context));
  }
}

function dictionaryOf(at) {
  return new Map([[at, { cloned: at }]]);
}

// Chains as deep as the heap, and a circle that nothing else holds on to but itself until the snapshot is written.
let deep = null;
for (let at = 0; at < count; at += 1) deep = { deep };
const circle = { a: {} };
circle.a.back = circle;
const held = new WeakRef(circle);

const server = createServer(() => {}).listen(0, '127.0.0.1', () => {
  globalThis.everything = { kept, weakMap, chain, link, weakSet, registry, emitter, contexts, server, deep, held };
  if (kind === 'timeline') {
    const output = openSync(file, 'w');
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => writeSync(output, params.chunk));
    session.post('HeapProfiler.stopTrackingHeapObjects');
    closeSync(output);
    session.disconnect();
  } else writeHeapSnapshot(file, { exposeInternals: kind === 'internals', exposeNumericValues: kind === 'internals' });
  server.close();
  for (const item of kept) if (item instanceof MessageChannel) item.port1.close();
});
