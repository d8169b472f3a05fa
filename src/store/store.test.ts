import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { appConfig } from '../../test/support/app-config.ts';
import type { EventDocument, ReceiptDocument, WorkerRecord } from '../protocol/index.ts';
import { openStore } from './index.ts';
import type { AppRecord, Store } from './index.ts';
import { nextOperationId } from './operation-id.ts';

const config = appConfig('shop', {
  command: { kind: 'node', script: '/srv/shop/server.js', node: null, nodeArgs: [], args: ['--flag', 'ünï'] },
  cwd: '/srv/shop',
  instances: 4,
  env: { A: '1' },
  inheritEnv: ['HOME'],
});

const app = (name: string, fields: Partial<AppRecord> = {}): AppRecord => ({
  name,
  file: null,
  config: { ...config, name },
  wanted: 'up',
  release: 1,
  instances: 4,
  createdAtMs: 5,
  stoppedSlots: [],
  readySignalSeen: false,
  ...fields,
});

const worker = (fields: Partial<WorkerRecord> = {}): WorkerRecord => ({
  app: 'shop',
  slot: 0,
  generation: 1,
  lane: 'stable',
  release: 1,
  pid: 4242,
  startTicks: 12_345_678,
  bootId: 'b00t',
  spawn: 't0ken',
  startedAtMs: 1_700_000_000_123,
  phase: 'starting',
  restarts: 0,
  role: 'holder',
  order: null,
  exit: null,
  ...fields,
});

const receipt = (operation: string): ReceiptDocument => ({
  operation,
  app: 'shop',
  from: 1,
  to: 2,
  outcome: 'completed',
  reason: null,
  durationMs: 12,
  requests: { served: 1, failed: 0, lost: 0, unknown: 0, refused: 0, upgradesClosed: 0, upgradesCut: 0 },
  latencyMs: { before: { p50: 1, p99: 2 }, during: { p50: null, p99: null }, after: { p50: 1, p99: 2 } },
  steps: [],
});

function open(options: { readonly perApp?: number; readonly total?: number; readonly ageMs?: number } = {}): {
  readonly store: Store;
  readonly time: { wallMs: number };
} {
  const time = { wallMs: Date.UTC(2026, 0, 1) };
  const clock = { monotonicMs: () => 0, wallMs: () => time.wallMs };
  const eventLimits = { perApp: 1e6, total: 1e6, ageMs: 1e12, ...options };
  return { store: openStore({ file: ':memory:', clock, random: () => 0.5, eventLimits }), time };
}

describe('the records of apps', () => {
  it('come back as they were put', () => {
    const { store } = open();
    const shop = app('shop', {
      file: '/srv/drover.config.ts',
      wanted: 'stopped',
      stoppedSlots: [1, 3],
      readySignalSeen: true,
    });
    store.apps.put(shop);
    store.apps.put(app('api'));
    assert.deepEqual(store.apps.find('shop'), shop);
    assert.deepEqual(
      store.apps.list().map(({ name }) => name),
      ['api', 'shop'],
    );
    assert.equal(store.apps.find('nobody'), undefined);
  });

  it('change field by field, and only where there is an app', () => {
    const { store } = open();
    store.apps.put(app('shop'));
    assert.equal(store.apps.change('shop', { wanted: 'stopped', release: 7 }), true);
    assert.deepEqual(store.apps.find('shop'), app('shop', { wanted: 'stopped', release: 7 }));
    assert.equal(store.apps.change('nobody', { release: 2 }), false);
    assert.equal(store.apps.list().length, 1);
  });

  it('leave with their releases, workers and ports, and nothing of another app', () => {
    const { store } = open();
    for (const name of ['shop', 'api']) {
      store.apps.put(app(name));
      store.releases.add({ app: name, config, createdAtMs: 1 });
      store.workers.put(worker({ app: name }));
      store.ports.put({
        app: name,
        key: 'tcp:3000',
        address: { kind: 'tcp', host: '::', port: 3000, v6only: false },
        declared: true,
        randomIndex: null,
        protocol: 'http',
        slots: [0, 2],
        firstHeldAtMs: 1,
      });
    }
    store.apps.remove('shop');
    store.apps.remove('shop');
    assert.deepEqual(
      [store.apps.list(), store.workers.list(), store.ports.list()].map((records) => records.length),
      [1, 1, 1],
    );
    assert.deepEqual([store.releases.list('shop').length, store.releases.list('api').length], [0, 1]);
    assert.equal(store.ports.list('api')[0]?.firstHeldAtMs, 1);
  });
});

describe('releases', () => {
  it('are numbered from 1 and never twice, also after pruning', () => {
    const { store } = open();
    store.apps.put(app('shop', { release: 1 }));
    const add = (): number => store.releases.add({ app: 'shop', config, createdAtMs: 1 });
    assert.deepEqual([add(), add(), add()], [1, 2, 3]);
    store.releases.prune('shop', 0);
    // 1 is the one that the app is at, 3 the newest.
    assert.deepEqual(
      store.releases.list('shop').map(({ number }) => number),
      [1, 3],
    );
    assert.equal(add(), 4);
    assert.deepEqual(store.releases.find('shop', 4)?.config, config);
  });
});

describe('adoption records', () => {
  it('are one per slot and generation, replaced and removed by that key', () => {
    const { store } = open();
    store.workers.put(worker());
    store.workers.put(worker({ generation: 2, pid: 4243 }));
    store.workers.put(worker({ pid: 5000, restarts: 3 }));
    store.workers.setPhase({ app: 'shop', slot: 0, generation: 2 }, 'running');
    assert.deepEqual(store.workers.list('shop'), [
      worker({ pid: 5000, restarts: 3 }),
      worker({ generation: 2, pid: 4243, phase: 'running' }),
    ]);
    store.workers.remove(worker());
    assert.deepEqual(
      store.workers.list().map(({ generation }) => generation),
      [2],
    );
    assert.deepEqual(store.workers.list('api'), []);
  });

  it('keep who ended for good until another one holds the slot', () => {
    const { store } = open();
    const exit = { code: 3, signal: null, cause: 'code', detail: 'no money' } as const;
    const ended = worker({ phase: 'crashed', exit });
    const other = worker({ slot: 1, phase: 'crashed', exit });
    for (const each of [ended, other]) store.workers.put(each);
    assert.deepEqual(store.workers.list('shop'), [ended, other]);
    const replacement = worker({ generation: 2, role: 'replacement' });
    store.workers.put(replacement);
    assert.deepEqual(store.workers.list('shop'), [ended, replacement, other], 'it may yet come to nothing');
    store.workers.remove(replacement);
    const next = worker({ generation: 3 });
    store.workers.put(next);
    assert.deepEqual(store.workers.list('shop'), [next, other]);
  });
});

describe('operations', () => {
  it('end exactly once', () => {
    const { store, time } = open();
    const { id } = store.operations.begin({ kind: 'reload', app: 'shop', phase: 'booting', state: { batch: 0 } });
    store.operations.advance(id, 'cutover', { batch: 1 });
    assert.deepEqual(store.operations.find(id)?.state, { batch: 1 });
    time.wallMs += 50;
    store.operations.end(id, 'done', receipt(id));
    store.operations.end(id, 'failed', { ...receipt(id), outcome: 'failed' });
    store.operations.advance(id, 'booting', {});
    const ended = store.operations.find(id);
    assert.deepEqual(ended?.receipt, receipt(id));
    assert.deepEqual([ended.status, ended.phase, ended.endedAtMs], ['done', 'done', time.wallMs]);
  });

  it('are listed newest first, by app and status', () => {
    const { store, time } = open();
    const begin = (name: string): string =>
      store.operations.begin({ kind: 'start', app: name, phase: 'booting', state: null }).id;
    const first = begin('shop');
    time.wallMs -= 3_600_000; // The wall clock is set back.
    const second = begin('shop');
    const third = begin('api');
    store.operations.end(first, 'done', receipt(first));
    const ids = (query: Parameters<Store['operations']['list']>[0]): string[] =>
      store.operations.list(query).map(({ id }) => id);
    assert.deepEqual(ids({}), [third, second, first]);
    assert.deepEqual(ids({ app: 'shop', status: 'running' }), [second]);
    assert.deepEqual(ids({ limit: 1 }), [third]);
  });

  it('are found by the key of the request that began them, until they are forgotten', () => {
    const { store } = open();
    const request = { key: 'k', digest: 'd' };
    const begin = (app: string): string =>
      store.operations.begin({ kind: 'reload', app, phase: 'booting', state: null, request }).id;
    const [one, two] = [begin('one'), begin('two')];
    const found = (isWhole: boolean) => [
      { id: one, app: 'one', digest: 'd', isWhole },
      { id: two, app: 'two', digest: 'd', isWhole },
    ];
    assert.deepEqual(store.operations.listBegunBy('k'), found(false));
    store.operations.noteWhole('k');
    assert.deepEqual(store.operations.listBegunBy('k'), found(true));
    assert.deepEqual(store.operations.listBegunBy('other'), []);
    store.operations.end(one, 'done', receipt(one));
    for (let count = 0; count < 1_100; count += 1) {
      const { id } = store.operations.begin({ kind: 'reload', app: 'shop', phase: 'booting', state: null });
      store.operations.end(id, 'done', receipt(id));
    }
    // What still runs is remembered whatever the number of ended ones.
    assert.deepEqual(
      store.operations.listBegunBy('k').map(({ id }) => id),
      [two],
    );
  });

  it('keep the running ones whatever the number of ended ones', () => {
    const { store } = open();
    const running = store.operations.begin({ kind: 'start', app: 'shop', phase: 'booting', state: null }).id;
    for (let count = 0; count < 1_100; count += 1) {
      const { id } = store.operations.begin({ kind: 'reload', app: 'shop', phase: 'booting', state: null });
      store.operations.end(id, 'done', receipt(id));
    }
    assert.equal(store.operations.list({ status: 'running' })[0]?.id, running);
    assert.ok(store.operations.list().length <= 1_002);
  });

  it('have ids of ten characters that always ascend', () => {
    const moves = fc.array(
      fc.record({ wallMs: fc.nat({ max: 4e12 }), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
    );
    fc.assert(
      fc.property(moves, (history) => {
        let previous: string | null = null;
        for (const { wallMs, random } of history) {
          const id = nextOperationId({ wallMs, previous, random });
          assert.match(id, /^[0-9a-hjkmnp-tv-z]{10}$/);
          assert.ok(previous === null || id > previous, `${id} after ${previous}`);
          previous = id;
        }
      }),
    );
  });
});

describe('events', () => {
  it('are listed oldest first, by app, by sequence number and by time', () => {
    const { store, time } = open();
    for (let count = 1; count <= 6; count += 1) {
      time.wallMs += 1_000;
      const name = count % 2 === 0 ? 'shop' : null;
      assert.equal(store.events.append({ app: name, type: 'worker-ready', data: { count } }), count);
    }
    const seqs = (query: Parameters<Store['events']['list']>[0]): number[] =>
      store.events.list(query).map(({ seq }) => seq);
    assert.deepEqual(seqs({}), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(seqs({ app: 'shop' }), [2, 4, 6]);
    assert.deepEqual(seqs({ limit: 2 }), [5, 6], 'the newest');
    assert.deepEqual(seqs({ afterSeq: 2, limit: 2 }), [3, 4], 'the next, for a reader that catches up');
    assert.deepEqual(seqs({ sinceMs: time.wallMs - 1_000 }), [5, 6]);
  });

  it('reach listeners as they are listed, once committed and until the end of the subscription', () => {
    const { store } = open();
    const heard: EventDocument[] = [];
    const end = store.events.subscribe((event) => heard.push(event));
    store.events.append({ app: 'shop', worker: 'shop/1', type: 'worker-exited', reason: 'code 1', data: { code: 1 } });
    store.transaction(() => {
      store.events.append({ app: null, type: 'daemon-started' });
      assert.equal(heard.length, 1, 'not before the commit');
    });
    assert.deepEqual(heard, store.events.list());
    end();
    store.events.append({ app: null, type: 'daemon-stopping' });
    assert.equal(heard.length, 2);
  });

  it('are bounded per app, so that one in a crash loop does not push out the others', () => {
    const { store } = open({ perApp: 200 });
    store.events.append({ app: 'quiet', type: 'app-added' });
    store.events.append({ app: null, type: 'daemon-started' });
    for (let count = 0; count < 1_000; count += 1) store.events.append({ app: 'loud', type: 'worker-exited' });
    assert.equal(store.events.list({ app: 'quiet' }).length, 1);
    assert.equal(store.events.list().filter((event) => event.app === null).length, 1);
    const loud = store.events.list({ app: 'loud' });
    assert.ok(loud.length >= 200 && loud.length <= 328, `${loud.length}`);
    assert.equal(loud.at(-1)?.seq, 1_002);
  });

  it('are bounded in all and by age, but a clock that jumps ahead does not empty the history', () => {
    const { store, time } = open({ total: 1_500, ageMs: 1_000 });
    for (let count = 0; count < 1_280; count += 1) store.events.append({ app: 'shop', type: 'worker-ready' });
    assert.equal(store.events.list().length, 1_280);
    time.wallMs += 1e9;
    for (let count = 0; count < 128; count += 1) store.events.append({ app: 'shop', type: 'worker-ready' });
    assert.equal(store.events.list().length, 1_000);
    for (let count = 0; count < 1_280; count += 1) store.events.append({ app: `${count}`, type: 'app-added' });
    for (let count = 0; count < 128; count += 1) store.events.append({ app: 'shop', type: 'worker-ready' });
    assert.equal(store.events.list().length, 1_500);
  });
});

describe('a transaction', () => {
  it('leaves nothing behind where it throws, and no listener hears of it', () => {
    const { store } = open();
    store.apps.put(app('shop'));
    const heard: EventDocument[] = [];
    store.events.subscribe((event) => heard.push(event));
    const failure = new Error('half-way');
    assert.throws(
      () =>
        store.transaction(() => {
          store.apps.remove('shop');
          store.apps.put(app('api'));
          store.events.append({ app: 'shop', type: 'app-removed' });
          throw failure;
        }),
      failure,
    );
    assert.deepEqual(store.apps.list(), [app('shop')]);
    assert.deepEqual([store.events.list(), heard], [[], []]);
    store.events.append({ app: 'shop', type: 'app-changed' });
    assert.equal(heard.length, 1);
  });
});

describe('what is kept together', () => {
  it('is there once all of it has run, and told of then; nothing of it where that throws', () => {
    const { store } = open();
    store.apps.put(app('shop'));
    const heard: EventDocument[] = [];
    store.events.subscribe((event) => heard.push(event));
    const failure = new Error('half-way');
    const remove = (end: () => void): void =>
      store.keepTogether(() => {
        store.apps.remove('shop');
        store.events.append({ app: 'shop', type: 'app-removed' });
        end();
      });
    assert.throws(
      () =>
        remove(() => {
          throw failure;
        }),
      failure,
    );
    assert.deepEqual([store.apps.list(), store.events.list(), heard], [[app('shop')], [], []]);
    remove(() => assert.equal(heard.length, 0, 'not before it is written'));
    assert.deepEqual([store.apps.list(), heard], [[], store.events.list()]);
    assert.equal(heard.length, 1);
  });

  it('is part of the transaction that it is in', () => {
    const { store } = open();
    assert.throws(() =>
      store.transaction(() => {
        store.keepTogether(() => void store.events.append({ app: null, type: 'daemon-started' }));
        assert.equal(store.events.list().length, 1);
        throw new Error('half-way');
      }),
    );
    assert.deepEqual(store.events.list(), []);
  });
});

describe('small facts', () => {
  it('are kept by key', () => {
    const { store } = open();
    assert.equal(store.meta.find('daemon'), undefined);
    store.meta.put('daemon', 'a');
    store.meta.put('daemon', 'b');
    assert.equal(store.meta.find('daemon'), 'b');
  });
});
