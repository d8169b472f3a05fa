/**
 * What a scrape consists of: families of series with one name, one type and one help text, in the terms of the
 * Prometheus text format 0.0.4 and of OpenMetrics 1.0. Holds data only; {@link file://./write-text.ts} writes it.
 */

/** In the order in which they are written. Names are unique, no value is empty. */
export type Labels = readonly (readonly [name: string, value: string])[];

export interface NumberPoint {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramPoint {
  readonly labels: Labels;
  /** Upper bounds in rising order, as written in `le`; without `+Inf`. */
  readonly bounds: readonly string[];
  /** How many were at or below each bound: never falling, as many as `bounds`, none above `count`. */
  readonly cumulative: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export interface SummaryPoint {
  readonly labels: Labels;
  /** `quantile` as written, and its value. */
  readonly quantiles: readonly (readonly [quantile: string, value: number])[];
  readonly sum: number;
  readonly count: number;
}

interface Head {
  readonly name: string;
  readonly help: string;
}

export type Family =
  /** `unknown` is `untyped` in the older format. */
  | (Head & { readonly type: 'counter' | 'gauge' | 'unknown'; readonly points: readonly NumberPoint[] })
  | (Head & { readonly type: 'histogram'; readonly points: readonly HistogramPoint[] })
  | (Head & { readonly type: 'summary'; readonly points: readonly SummaryPoint[] });

export type FamilyType = Family['type'];

/**
 * One text for one set of labels, whatever their order, and for no other: values may hold anything, so each says how long it
 * is. Expects valid names.
 */
export function labelsKey(labels: Labels): string {
  const pairs = labels.map(([name, value]) => `${name}=${value.length}:${value}`);
  return pairs.length < 2 ? (pairs[0] ?? '') : pairs.sort().join();
}

const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: ['', '_created'],
  gauge: [''],
  unknown: [''],
  histogram: ['', '_bucket', '_sum', '_count', '_created'],
  summary: ['', '_sum', '_count', '_created'],
};

/**
 * Every name that a family takes for itself, in either format: a second family with one of them would make the page
 * ambiguous. In OpenMetrics a counter `x_total` is of a family `x`.
 */
export function namesTaken(name: string, type: FamilyType): string[] {
  if (type === 'counter' && name.endsWith('_total')) {
    const stem = name.slice(0, -'_total'.length);
    return [name, stem, `${stem}_created`];
  }
  return SUFFIXES[type].map((suffix) => `${name}${suffix}`);
}
