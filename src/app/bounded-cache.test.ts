import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BoundedCache, CacheMetrics, type CacheOptions } from './bounded-cache.ts';
import { MetricRegistry } from './metrics.ts';

const open = <Value extends string | object>(options: CacheOptions<string, Value>): BoundedCache<string, Value> =>
  new BoundedCache(options, 'cache-1');

describe('A bounded cache', () => {
  it('keeps what was used last, counts, and tells of what it puts out', () => {
    const evicted: unknown[] = [];
    const cache = open<string>({ max: 2, onEvict: (key, value) => evicted.push([key, value]) });
    cache.set('a', '1').set('b', '2');
    assert.equal(cache.get('a'), '1');
    cache.set('c', '3');
    assert.deepEqual([cache.get('b'), cache.has('a'), cache.peek('c')], [undefined, true, '3']);
    assert.deepEqual(evicted, [['b', '2']]);
    assert.deepEqual(cache.stats(), {
      hits: 1,
      misses: 1,
      hitRate: 0.5,
      entries: 2,
      size: 0,
      evictions: 1,
      expirations: 0,
      collected: 0,
    });
    assert.deepEqual([...cache.keys()].toSorted(), ['a', 'c']);
    assert.equal(cache.delete('a'), true);
    cache.clear();
    assert.deepEqual([cache.size, cache.stats().evictions], [0, 1]);
  });

  it('is bounded by size, in bytes where they are known', () => {
    const cache = open<string>({ maxSize: 10 });
    cache.set('a', 'ääää').set('b', '12');
    assert.equal(cache.stats().size, 10);
    cache.set('c', '3');
    assert.deepEqual([cache.has('a'), cache.stats().size], [false, 3]);
    cache.set('d', 'x'.repeat(11));
    assert.equal(cache.has('d'), false, 'larger than all of it');
    assert.throws(() => open<object>({ maxSize: 10 }).set('a', {}), /needs sizeOf/);
    const sized = open<{ n: number }>({ maxSize: 10, sizeOf: ({ n }) => n });
    sized.set('a', { n: 6 }).set('b', { n: 6 });
    assert.equal(sized.size, 1);
  });

  it('lets entries go for their age', async () => {
    const cache = open<string>({ max: 10, ttl: 60_000 });
    cache.set('a', '1', { ttl: 1 }).set('b', '2');
    const until = performance.now() + 3;
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([cache.get('a'), cache.get('b')], [undefined, '2']);
    assert.equal(cache.stats().expirations, 1);
  });

  it('refuses to have no bound, or one that is none', () => {
    assert.throws(() => open({}), /needs a bound/);
    assert.throws(() => open({ ttl: 1000 }), /needs a bound/);
    for (const max of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => open({ max }), /max must be a positive integer/);
  });

  it('loads once for all who ask meanwhile, and keeps no failure', async () => {
    const cache = open<string>({ max: 10 });
    let loads = 0;
    const load = async (key: string): Promise<string> => {
      loads++;
      if (loads === 1) throw new Error('away');
      return key.toUpperCase();
    };
    const first = await Promise.allSettled([cache.getOrLoad('a', load), cache.getOrLoad('a', load)]);
    assert.deepEqual(
      first.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.deepEqual(await Promise.all([cache.getOrLoad('a', load), cache.getOrLoad('a', load)]), ['A', 'A']);
    assert.equal(await cache.getOrLoad('a', load), 'A');
    assert.equal(loads, 2);
  });

  it('holds objects weakly where it shall, and nothing else', () => {
    const cache = open<object>({ max: 10, weak: true });
    const value = { a: 1 };
    cache.set('a', value);
    assert.equal(cache.get('a'), value);
    assert.throws(() => cache.set('b', 'text' as unknown as object), /holds objects, not a string/);
    assert.throws(() => cache.set('c', undefined as unknown as object), TypeError);
  });

  it('lets go of what is held weakly once nobody else has it, keys included', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const cache = open<object>({ max: 10, weak: true });
    const needed = { a: 1 };
    cache.set('needed', needed);
    cache.set('dropped', { b: 2 });
    // What a turn of the loop has made or looked at stays until its end, and the registry is called in a later one.
    for (let turn = 0; turn < 50 && cache.stats().entries > 1; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    const { entries, collected } = cache.stats();
    assert.deepEqual([entries, collected], [1, 1]);
    assert.deepEqual([cache.get('needed'), cache.get('dropped')], [needed, undefined]);
  });

  it('is seen in the metrics by its name', async () => {
    const metrics = new MetricRegistry(() => undefined);
    const all = new CacheMetrics(metrics);
    const caches = ['users', 'users', 'orders'].map((name) => open<string>({ max: 1, name }));
    for (const cache of caches) {
      all.add(cache as unknown as BoundedCache<never, never>);
      cache.set('a', '1').set('b', '2').get('b');
    }
    const read = async (name: string): Promise<unknown> =>
      (await metrics.list())
        .find((metric) => metric.name === name)
        ?.values.map(({ labels, value }) => [labels['cache'], value]);
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await read('drover_cache_hits_total'), [
        ['users', 2],
        ['orders', 1],
      ]);
      assert.deepEqual(await read('drover_cache_evictions_total'), [
        ['users', 2],
        ['orders', 1],
      ]);
    }
    assert.deepEqual(await read('drover_cache_entries'), [
      ['users', 2],
      ['orders', 1],
    ]);
    assert.deepEqual(await read('drover_cache_hit_ratio'), [
      ['users', 1],
      ['orders', 1],
    ]);
  });
});
