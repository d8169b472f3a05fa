/**
 * Reads figures and objectives from the time series: rates from counters, means, quantiles from histograms. Chooses the
 * coarsest samples that are fine enough for the step; where those no longer reach back so far, coarser ones.
 */
import type { ObjectiveConfig } from '../../protocol/index.ts';
import { mergeHistograms, percentile } from '../../runtime/index.ts';
import { countWithin } from '../exposition/latency-buckets.ts';
import { COLUMNS, type ColumnName } from './columns.ts';
import { readNamed, type MetricsFile, type Span } from './metrics-file.ts';
import { TIERS, type SeriesKey, type TierName } from './recorder.ts';

/** Quantiles of latency, milliseconds, and figures made of others. */
const QUANTILES = { p50Ms: 0.5, p95Ms: 0.95, p99Ms: 0.99 } as const;
export type FigureName = ColumnName | keyof typeof QUANTILES | 'errorRatio' | 'requestRate';

export interface RangeQuery extends SeriesKey {
  readonly metric: FigureName;
  /** Milliseconds since 1970; `fromMs` is rounded down to a step. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Is raised to what there is: a second, ten, or five minutes. */
  readonly stepMs: number;
}

export interface RangePoint {
  /** Beginning of the step. */
  readonly at: number;
  /** Per second for counters; null where nothing was measured. */
  readonly value: number | null;
}

export interface ObjectiveQuery {
  readonly app: string;
  readonly indicator: ObjectiveConfig['indicator'];
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** Steps without samples have no point: nobody knows what happened, which is not the same as nothing. */
export interface ObjectivePoint {
  readonly at: number;
  readonly good: number;
  readonly total: number;
}

/** As many as Prometheus answers (`--query.max-samples` aside): 11,000 points a series. */
const MOST_POINTS = 11_000;

export function readRange(
  file: MetricsFile,
  query: RangeQuery,
  now: number,
  keep: (tier: TierName) => number,
): RangePoint[] {
  const { tier, span } = planOf(query, now, keep);
  const { metric } = query;
  if (metric in QUANTILES) {
    const q = QUANTILES[metric as keyof typeof QUANTILES];
    return latenciesOf(file, tier, query, span).map(({ at, latency }) => ({ at, value: percentile(latency, q) }));
  }
  if (metric === 'errorRatio') {
    return file
      .fold(tier, query, span, ['SUM(failed + lost)', 'SUM(served + failed + lost)'])
      .map(({ step, v0, v1 }) => ({
        at: Number(step),
        value: Number(v1) === 0 ? null : Number(v0) / Number(v1),
      }));
  }
  const name = metric === 'requestRate' ? 'begun' : (metric as ColumnName);
  const { inTime, kind, scale } = COLUMNS[name];
  const column = `"${name}"`;
  const expression =
    inTime === 'max'
      ? `MAX(${column})`
      : inTime === 'sum'
        ? `SUM(${column})`
        : `SUM(${column} * ms) * 1.0 / SUM(CASE WHEN ${column} IS NULL THEN 0 ELSE ms END)`;
  return file.fold(tier, query, span, [expression]).map(({ step, ms, v0 }) => ({
    at: Number(step),
    value:
      typeof v0 !== 'number'
        ? null
        : kind === 'gauge'
          ? v0 / scale
          : Number(ms) === 0
            ? null
            : v0 / scale / (Number(ms) / 1000),
  }));
}

/**
 * Availability: answered below 500 of all that were answered or lost; whom the client left counts neither way. Latency: within
 * the threshold of all that were answered (`countWithin` rounds down). Ratio: of two counters of the app's own.
 */
export function readObjective(
  file: MetricsFile,
  query: ObjectiveQuery,
  now: number,
  keep: (tier: TierName) => number,
): ObjectivePoint[] {
  const { tier, span } = planOf(query, now, keep);
  const series = { app: query.app, worker: null };
  const { indicator } = query;
  if (indicator.kind === 'ratio') return ratioOf(file, tier, series, span, indicator);
  if (indicator.kind === 'latency') {
    return latenciesOf(file, tier, series, span).map(({ at, latency }) => ({
      at,
      good: countWithin(latency, indicator.thresholdMs),
      total: countWithin(latency, Infinity),
    }));
  }
  return file
    .fold(tier, series, span, ['SUM(served)', 'SUM(served + failed + lost)'])
    .map(({ step, v0, v1 }) => ({ at: Number(step), good: Number(v0), total: Number(v1) }));
}

function ratioOf(
  file: MetricsFile,
  tier: TierName,
  series: SeriesKey,
  span: Span,
  { good, total }: { readonly good: string; readonly total: string },
): ObjectivePoint[] {
  const points = new Map<number, { good: number; total: number }>();
  for (const { step, v0 } of file.fold(tier, series, span, ['json_group_array(json(named))'])) {
    const sums = { good: 0, total: 0 };
    for (const named of JSON.parse(String(v0)) as unknown[]) {
      for (const [name, count] of readNamed(named === null ? null : JSON.stringify(named))) {
        if (name === good) sums.good += count;
        if (name === total) sums.total += count;
      }
    }
    points.set(Number(step), sums);
  }
  return [...points].map(([at, sums]) => ({ at, ...sums }));
}

function latenciesOf(
  file: MetricsFile,
  tier: TierName,
  series: SeriesKey,
  { fromMs, toMs, stepMs }: Span,
): { readonly at: number; readonly latency: number[] }[] {
  const steps = new Map<number, number[][]>();
  for (const { at, latency } of file.read(tier, series, fromMs, toMs)) {
    const step = Math.floor(at / stepMs) * stepMs;
    const list = steps.get(step) ?? [];
    steps.set(step, list);
    list.push([...latency].flat());
  }
  return [...steps].map(([at, list]) => ({ at, latency: mergeHistograms(list) }));
}

function planOf(
  { fromMs, toMs, stepMs }: Pick<RangeQuery, 'fromMs' | 'toMs' | 'stepMs'>,
  now: number,
  keep: (tier: TierName) => number,
): { readonly tier: TierName; readonly span: Span } {
  if (!(stepMs > 0) || !(toMs >= fromMs) || !Number.isFinite(toMs - fromMs))
    throw new RangeError('no such span of time');
  const fine = TIERS.filter(({ periodMs }) => periodMs <= stepMs).at(-1) ?? TIERS[0];
  const first = TIERS.indexOf(fine);
  const tier = TIERS.slice(first).find(({ name }) => now - fromMs <= keep(name)) ?? TIERS[TIERS.length - 1] ?? fine;
  const step = Math.max(tier.periodMs, Math.floor(stepMs / tier.periodMs) * tier.periodMs);
  if ((toMs - fromMs) / step > MOST_POINTS) throw new RangeError(`more than ${MOST_POINTS} points`);
  return { tier: tier.name, span: { fromMs: Math.floor(fromMs / step) * step, toMs, stepMs: step } };
}
