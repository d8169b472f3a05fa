/**
 * Requests by route, added up over the workers of an app. Workers each keep their own list of routes, so together they may have more
 * than the app may show: the first that came are told apart, further ones are `other`. What has a row keeps it, or a
 * counter would jump from one series to another.
 *
 * Quantiles are of the last minute or two, from the difference between two readings: those since the start of a worker
 * say little after a day.
 */
import type { RouteCounters } from '../../protocol/index.ts';
import { countOf, mergeHistograms, percentile, subtractHistogram, type SparseHistogram } from '../../runtime/index.ts';
import { cleanText } from './names.ts';

export const OTHER_ROUTE = 'other';
const LONGEST_ROUTE = 200;
const WINDOW_MS = 60_000;

export interface RouteRow {
  readonly method: string;
  readonly route: string;
  /** Since the app was first seen: these never fall. */
  readonly byClass: readonly number[];
  readonly latency: SparseHistogram;
  /** Of the last one or two minutes. */
  readonly recent: {
    readonly requests: number;
    readonly failed: number;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
  };
}

interface Counts {
  readonly byClass: readonly number[];
  readonly latency: SparseHistogram;
}

interface Row extends Counts {
  readonly method: string;
  readonly route: string;
}

const NOTHING: Counts = { byClass: [0, 0, 0, 0, 0, 0], latency: [] };
const keyOf = (method: string, route: string): string => `${method} ${route}`;

export class RouteTable {
  #most: number;
  readonly #known = new Map<string, { readonly method: string; readonly route: string }>();
  readonly #ended = new Map<string, Counts>();
  readonly #live = new Map<string, ReadonlyMap<string, Row>>();
  #marks: { readonly at: number; readonly rows: ReadonlyMap<string, Counts> }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** How many routes are told apart from now on; those that have a row keep it. */
  set most(most: number) {
    this.#most = most;
  }

  /** What the worker of a spawn has counted since it started. */
  set(spawn: string, counters: readonly RouteCounters[]): void {
    const rows = new Map<string, Row>();
    for (const one of counters) {
      const { method, route } = this.#admit(one);
      const key = keyOf(method, route);
      const before = rows.get(key);
      rows.set(key, {
        method,
        route,
        ...(before === undefined ? { byClass: one.byClass, latency: one.latency } : addCounts(before, one)),
      });
    }
    for (const [key, old] of this.#live.get(spawn) ?? []) {
      const later = rows.get(key);
      if (later === undefined || countOf(later.latency) < countOf(old.latency)) this.#keep(key, old);
    }
    this.#live.set(spawn, rows);
  }

  /** The workers that there are; all others have ended. */
  retain(spawns: ReadonlySet<string>): void {
    for (const [spawn, rows] of this.#live) {
      if (spawns.has(spawn)) continue;
      for (const [key, row] of rows) this.#keep(key, row);
      this.#live.delete(spawn);
    }
  }

  /** `at`: milliseconds of a clock that only rises. */
  rows(at: number): RouteRow[] {
    const sums = new Map<string, Counts>(this.#ended);
    for (const rows of this.#live.values()) {
      for (const [key, row] of rows) sums.set(key, addCounts(sums.get(key) ?? NOTHING, row));
    }
    const newest = this.#marks.at(-1);
    if (newest === undefined || at - newest.at >= WINDOW_MS)
      this.#marks = [...this.#marks.slice(-1), { at, rows: sums }];
    const past = this.#marks[0];
    return [...sums].map(([key, { byClass, latency }]) => {
      const { method, route } = this.#known.get(key) ?? { method: OTHER_ROUTE, route: OTHER_ROUTE };
      const before = past === undefined || past.at === at ? NOTHING : (past.rows.get(key) ?? NOTHING);
      const recent = subtractHistogram(latency, before.latency);
      return {
        method,
        route,
        byClass,
        latency,
        recent: {
          requests: countOf(recent),
          failed: Math.max(0, (byClass[5] ?? 0) - (before.byClass[5] ?? 0)),
          p50Ms: percentile(recent, 0.5),
          p95Ms: percentile(recent, 0.95),
          p99Ms: percentile(recent, 0.99),
        },
      };
    });
  }

  #admit({ method, route }: RouteCounters): { readonly method: string; readonly route: string } {
    const clean = { method: cleanMethod(method), route: cleanText(route, LONGEST_ROUTE) || OTHER_ROUTE };
    const key = keyOf(clean.method, clean.route);
    if (this.#known.has(key)) return clean;
    const isOther = clean.route === OTHER_ROUTE;
    if (isOther || this.#known.size < this.#most) {
      this.#known.set(key, clean);
      return clean;
    }
    const other = { method: clean.method, route: OTHER_ROUTE };
    this.#known.set(keyOf(other.method, other.route), other);
    return other;
  }

  #keep(key: string, counts: Counts): void {
    this.#ended.set(key, addCounts(this.#ended.get(key) ?? NOTHING, counts));
  }
}

/** As the semantic conventions say: what is no known method is `_OTHER`. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const cleanMethod = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

const addCounts = (a: Counts, b: Counts): Counts => ({
  byClass: [0, 1, 2, 3, 4, 5].map((status) => (a.byClass[status] ?? 0) + (b.byClass[status] ?? 0)),
  latency: mergeHistograms([a.latency, b.latency]),
});
