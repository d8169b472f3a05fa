/**
 * A cache that cannot grow without end: `lru-cache`, loaded with the first one that is made, with its hit rate, size and
 * evictions as metrics. `weak` keeps what only others still need: an entry goes when its value is collected.
 *
 * It refuses to be made without a bound; age alone bounds nothing under load.
 */
import type { LRUCache } from 'lru-cache';
import { loadPackage } from './load-package.ts';
import type { MetricRegistry } from './metrics.ts';

export interface CacheOptions<Key, Value> {
  /** Entries. One of `max` and `maxSize` is needed. */
  readonly max?: number;
  /** Sum of the sizes of all entries, in whatever `sizeOf` counts; bytes for strings and buffers. */
  readonly maxSize?: number;
  /** Size of an entry, a positive integer; needed with `maxSize` where values are neither strings nor buffers. */
  readonly sizeOf?: (value: Value, key: Key) => number;
  /** Milliseconds after which an entry is gone. Default: no bound. */
  readonly ttl?: number;
  /** Values are held weakly; they must be objects. Default false. */
  readonly weak?: boolean;
  /** In the metrics; default `cache-1` and so on. */
  readonly name?: string;
  /** Called with what was put out to make room. */
  readonly onEvict?: (key: Key, value: Value) => void;
}

export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Share of hits, 0–1; null before the first `get`. */
  readonly hitRate: number | null;
  readonly entries: number;
  /** Sum of the sizes; 0 without `maxSize`. */
  readonly size: number;
  /** Put out to make room; gone for their age; collected, where they were held weakly. */
  readonly evictions: number;
  readonly expirations: number;
  readonly collected: number;
}

/** What a cache can hold: anything but undefined and null. */
export type Present = string | number | bigint | boolean | symbol | object;

type Stored = Present;

export class BoundedCache<Key extends Present, Value extends Present> {
  readonly name: string;
  readonly #entries: LRUCache<Key, Stored>;
  readonly #isWeak: boolean;
  readonly #collectedKeys: FinalizationRegistry<{ readonly key: Key; readonly reference: WeakRef<object> }> | null;
  readonly #loading = new Map<Key, Promise<Value>>();
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #expirations = 0;
  #collected = 0;

  constructor(options: CacheOptions<Key, Value>, defaultName: string) {
    const { max, maxSize, sizeOf, ttl, weak = false, name = defaultName, onEvict } = options;
    if (max === undefined && maxSize === undefined) {
      throw new TypeError('A bounded cache needs a bound: max (entries) or maxSize (sum of sizes)');
    }
    for (const [option, value] of Object.entries({ max, maxSize, ttl })) {
      if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
        throw new TypeError(`${option} must be a positive integer, not ${String(value)}`);
      }
    }
    const { LRUCache: Lru } = loadPackage('lru-cache') as { readonly LRUCache: typeof LRUCache };
    this.name = name;
    this.#isWeak = weak;
    const bounds =
      max === undefined ? { maxSize: maxSize as number } : { max, ...(maxSize !== undefined && { maxSize }) };
    this.#entries = new Lru<Key, Stored>({
      ...bounds,
      ...(ttl !== undefined && { ttl }),
      ...(maxSize !== undefined && {
        sizeCalculation: (stored: Stored, key: Key) => sizeOfEntry(this.#open(stored) as Value, key, sizeOf),
      }),
      dispose: (stored, key, reason) => {
        if (reason === 'expire') this.#expirations++;
        if (reason !== 'evict') return;
        this.#evictions++;
        const value = this.#open(stored);
        if (value !== undefined) onEvict?.(key, value);
      },
    });
    this.#collectedKeys = weak
      ? new FinalizationRegistry(({ key, reference }) => {
          // Another value may be there by now.
          if (this.#entries.peek(key) !== reference) return;
          this.#collected++;
          this.#entries.delete(key);
        })
      : null;
  }

  /** Entries, some of which may be past their age. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value, which is then the one used last; undefined where there is none. Counts as a hit or a miss. */
  get(key: Key): Value | undefined {
    const stored = this.#entries.get(key);
    const value = stored === undefined ? undefined : this.#open(stored);
    if (value === undefined) this.#misses++;
    else this.#hits++;
    return value;
  }

  /** As {@link get}, but counts and changes nothing. */
  peek(key: Key): Value | undefined {
    const stored = this.#entries.peek(key);
    return stored === undefined ? undefined : this.#open(stored);
  }

  has(key: Key): boolean {
    return this.peek(key) !== undefined && this.#entries.has(key);
  }

  /** `ttl`: another age than the cache's, for this entry. What is larger than `maxSize` is not kept. */
  set(key: Key, value: Value, options: { readonly ttl?: number } = {}): this {
    if (value === undefined || value === null) throw new TypeError('A cache holds no undefined and no null');
    if (this.#collectedKeys !== null) {
      if (typeof value !== 'object' && typeof value !== 'function') {
        throw new TypeError(`A weak cache holds objects, not a ${typeof value}`);
      }
      const reference = new WeakRef<object>(value);
      this.#collectedKeys.register(value, { key, reference });
      this.#entries.set(key, reference, options);
    } else this.#entries.set(key, value, options);
    return this;
  }

  /** The value, or what `load` makes of the key, which is kept. Those who ask meanwhile wait for the same. */
  async getOrLoad(key: Key, load: (key: Key) => Promise<Value> | Value): Promise<Value> {
    const known = this.get(key);
    if (known !== undefined) return known;
    const under = this.#loading.get(key);
    if (under !== undefined) return under;
    const loading = (async () => {
      try {
        const value = await load(key);
        this.set(key, value);
        return value;
      } finally {
        this.#loading.delete(key);
      }
    })();
    this.#loading.set(key, loading);
    return loading;
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  *keys(): Generator<Key> {
    for (const key of this.#entries.keys()) if (this.peek(key) !== undefined) yield key;
  }

  stats(): CacheStats {
    const asked = this.#hits + this.#misses;
    return {
      hits: this.#hits,
      misses: this.#misses,
      hitRate: asked === 0 ? null : this.#hits / asked,
      entries: this.#entries.size,
      size: this.#entries.calculatedSize,
      evictions: this.#evictions,
      expirations: this.#expirations,
      collected: this.#collected,
    };
  }

  #open(stored: Stored): Value | undefined {
    return (this.#isWeak ? (stored as WeakRef<object>).deref() : stored) as Value | undefined;
  }
}

function sizeOfEntry<Key, Value>(
  value: Value,
  key: Key,
  sizeOf: ((value: Value, key: Key) => number) | undefined,
): number {
  if (sizeOf !== undefined) return sizeOf(value, key);
  if (typeof value === 'string') return Math.max(1, Buffer.byteLength(value));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return Math.max(1, value.byteLength);
  throw new TypeError('With maxSize, a cache of other values than strings and buffers needs sizeOf');
}

/** All caches of the process, as metrics; holds none of them. */
export class CacheMetrics {
  readonly #caches = new Set<WeakRef<BoundedCache<never, never>>>();
  readonly #metrics: MetricRegistry;
  #count = 0;
  #isAdded = false;

  constructor(metrics: MetricRegistry) {
    this.#metrics = metrics;
  }

  nextName(): string {
    return `cache-${++this.#count}`;
  }

  add(cache: BoundedCache<never, never>): void {
    this.#caches.add(new WeakRef(cache));
    if (this.#isAdded) return;
    this.#isAdded = true;
    this.#counter('drover_cache_hits_total', 'Lookups that found something.', ({ hits }) => hits);
    this.#counter('drover_cache_misses_total', 'Lookups that found nothing.', ({ misses }) => misses);
    this.#counter('drover_cache_evictions_total', 'Entries put out to make room.', ({ evictions }) => evictions);
    this.#gauge('drover_cache_entries', 'Entries in a cache.', ({ entries }) => entries);
    this.#gauge('drover_cache_size', 'Sum of the sizes of the entries of a cache.', ({ size }) => size);
    this.#gauge(
      'drover_cache_hit_ratio',
      'Share of lookups that found something.',
      ({ hitRate }) => hitRate,
      'average',
    );
  }

  /** Caches of the same name are counted together. */
  #counter(name: string, help: string, read: (stats: CacheStats) => number): void {
    const counter = this.#metrics.counter(name, {
      help,
      labels: ['cache'],
      collect: () => {
        counter.reset();
        for (const cache of this.#living()) counter.inc({ cache: cache.name }, read(cache.stats()));
      },
    });
  }

  /** A share is of the last of the caches of one name. */
  #gauge(
    name: string,
    help: string,
    read: (stats: CacheStats) => number | null,
    aggregator: 'sum' | 'average' = 'sum',
  ) {
    const gauge = this.#metrics.gauge(name, {
      help,
      labels: ['cache'],
      aggregator,
      collect: () => {
        gauge.reset();
        for (const cache of this.#living()) {
          const value = read(cache.stats());
          if (value === null) continue;
          if (aggregator === 'sum') gauge.inc({ cache: cache.name }, value);
          else gauge.set({ cache: cache.name }, value);
        }
      },
    });
  }

  *#living(): Generator<BoundedCache<never, never>> {
    for (const reference of this.#caches) {
      const cache = reference.deref();
      if (cache === undefined) this.#caches.delete(reference);
      else yield cache;
    }
  }
}
