/**
 * Reads what one worker says of the app's own metrics, trusting nothing in it: an agent may be of another version, and a
 * metric may have been made from what a client sent. What cannot be shown is left out and told.
 */
import type { AppMetric } from '../../protocol/index.ts';
import { labelsKey, type Labels } from './family.ts';
import { cleanText, isLabelName, isMetricName, LONGEST_HELP, LONGEST_LABEL_VALUE, MOST_LABELS } from './names.ts';
import type { Problems } from './problems.ts';

export const AGGREGATORS = ['sum', 'first', 'min', 'max', 'average', 'omit'] as const;
export type Aggregator = (typeof AGGREGATORS)[number];

/**
 * `shape` tells which points have the same numbers: the bounds of a histogram, the quantiles of a summary, else nothing.
 * `numbers`: the value; or the counts up to each bound, cumulative, then count and sum; or the values of the quantiles, then
 * count and sum.
 */
export interface AppPoint {
  readonly labels: Labels;
  readonly shape: readonly string[];
  readonly numbers: readonly number[];
}

export interface AppFamily {
  readonly name: string;
  readonly help: string;
  readonly type: AppMetric['type'];
  readonly aggregator: Aggregator;
  /** By {@link labelsKey}. */
  readonly points: ReadonlyMap<string, AppPoint>;
}

const TYPES = new Set<unknown>(['counter', 'gauge', 'histogram', 'summary']);
const KNOWN_AGGREGATORS = new Set<unknown>(AGGREGATORS);

/** At most `most` points in all; a histogram's bucket counts as one, as it is a series. */
export function readAppMetrics(metrics: unknown, most: number, problems: Problems): AppFamily[] {
  const families = new Map<string, AppFamily>();
  const given = (Array.isArray(metrics) ? (metrics as unknown[]) : []).filter(isRecord);
  const rooms = shareOut(
    given.map(({ values }) => (Array.isArray(values) ? values.length : 0)),
    most,
  );
  for (const [index, metric] of given.entries()) {
    const { name, help, type, aggregator = 'sum', values } = metric;
    const list: readonly unknown[] = Array.isArray(values) ? values : [];
    if (!isMetricName(name) || !TYPES.has(type) || families.has(name)) {
      problems.add('bad-name', name, Math.max(1, list.length));
      continue;
    }
    const room = rooms[index] ?? 0;
    const taken = list.length > room ? list.slice(0, room) : list;
    problems.add('too-many', name, list.length - taken.length);
    const kind = type as AppMetric['type'];
    const points =
      kind === 'histogram' || kind === 'summary'
        ? readCompound(name, kind, taken, problems)
        : readPlain(name, kind, taken, problems);
    families.set(name, {
      name,
      type: kind,
      help: cleanText(typeof help === 'string' ? help : '', LONGEST_HELP),
      aggregator: KNOWN_AGGREGATORS.has(aggregator) ? (aggregator as Aggregator) : 'sum',
      points,
    });
  }
  return [...families.values()];
}

/** How much of `room` each gets that wants so much: the smallest first, so that what has exploded takes what the others leave. */
export function shareOut(wishes: readonly number[], room: number): number[] {
  const given = wishes.map(() => 0);
  let left = room;
  for (const [index, wish] of [...wishes.entries()].sort(([, a], [, b]) => a - b)) {
    given[index] = Math.min(wish, left);
    left -= given[index];
  }
  return given;
}

function readPlain(
  name: string,
  type: 'counter' | 'gauge',
  values: readonly unknown[],
  problems: Problems,
): Map<string, AppPoint> {
  const points = new Map<string, AppPoint>();
  for (const entry of values) {
    const labels = isRecord(entry) ? readLabels(entry['labels'], null) : null;
    if (!isRecord(entry) || labels === null) {
      problems.add('bad-label', name);
      continue;
    }
    const value = readNumber(entry['value']);
    // The page has numbers that are not numbers; a counter that is none, or is below zero, has counted nothing.
    if (type === 'counter' && !(value >= 0)) problems.add('bad-value', name);
    else points.set(labelsKey(labels), { labels, shape: [], numbers: [value] });
  }
  return points;
}

interface Parts {
  readonly labels: Labels;
  readonly at: Map<string, number>;
  sum: number;
  count: number;
}

function readCompound(
  name: string,
  type: 'histogram' | 'summary',
  values: readonly unknown[],
  problems: Problems,
): Map<string, AppPoint> {
  const last = type === 'histogram' ? 'le' : 'quantile';
  const groups = new Map<string, Parts>();
  for (const entry of values) {
    const labels = isRecord(entry) ? readLabels(entry['labels'], last) : null;
    if (!isRecord(entry) || labels === null) {
      problems.add('bad-label', name);
      continue;
    }
    const key = labelsKey(labels);
    let parts = groups.get(key);
    if (parts === undefined) groups.set(key, (parts = { labels, at: new Map(), sum: NaN, count: NaN }));
    const value = readNumber(entry['value']);
    if (entry['metricName'] === `${name}_sum`) parts.sum = value;
    else if (entry['metricName'] === `${name}_count`) parts.count = value;
    else {
      const bound = isRecord(entry['labels']) ? entry['labels'][last] : undefined;
      if (typeof bound === 'string' || typeof bound === 'number') parts.at.set(String(bound), value);
      else problems.add('bad-label', name);
    }
  }
  const points = new Map<string, AppPoint>();
  for (const [key, parts] of groups) {
    const point = type === 'histogram' ? toHistogram(parts) : toSummary(parts);
    if (point === null) problems.add('bad-value', name, parts.at.size + 2);
    else points.set(key, point);
  }
  return points;
}

/** As every reader takes them for a number. */
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Null where it is none: bounds that are no numbers, counts that fall or are not whole of the count. */
function toHistogram({ labels, at, sum, count }: Parts): AppPoint | null {
  const buckets = [...at]
    .filter(([bound]) => bound !== '+Inf')
    .map(([bound, value]) => ({ bound, le: Number(bound), value }));
  if (buckets.some(({ bound, le }) => !DECIMAL.test(bound) || !Number.isFinite(le))) return null;
  buckets.sort((a, b) => a.le - b.le);
  const total = Number.isNaN(count) ? (at.get('+Inf') ?? NaN) : count;
  const numbers = [...buckets.map(({ value }) => value), total];
  let before = 0;
  for (const value of numbers) {
    if (!(value >= before) || value === Infinity) return null;
    before = value;
  }
  if (buckets.some(({ le }, index) => le === buckets[index - 1]?.le)) return null;
  return { labels, shape: buckets.map(({ bound }) => bound), numbers: [...numbers, sum] };
}

function toSummary({ labels, at, sum, count }: Parts): AppPoint | null {
  const quantiles = [...at].filter(([bound]) => DECIMAL.test(bound) && Number(bound) >= 0 && Number(bound) <= 1);
  if (quantiles.length !== at.size || !(count >= 0) || count === Infinity) return null;
  quantiles.sort(([a], [b]) => Number(a) - Number(b));
  return {
    labels,
    shape: quantiles.map(([bound]) => bound),
    numbers: [...quantiles.map(([, value]) => value), count, sum],
  };
}

/** Without `last`, and without those that have no value, which is the same to Prometheus. Null where a name is none. */
function readLabels(given: unknown, last: string | null): Labels | null {
  if (given === undefined || given === null) return [];
  if (!isRecord(given)) return null;
  const labels: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (name === last) continue;
    if (!isLabelName(name) || labels.length >= MOST_LABELS) return null;
    const plain = value ?? '';
    if (typeof plain !== 'string' && typeof plain !== 'number' && typeof plain !== 'boolean') return null;
    const text = cleanText(String(plain), LONGEST_LABEL_VALUE);
    if (text !== '') labels.push([name, text]);
  }
  return labels;
}

/** JSON has `null` for what is not a number. */
const readNumber = (value: unknown): number => (typeof value === 'number' ? value : NaN);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
