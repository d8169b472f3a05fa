/**
 * Puts the app's own metrics of all its workers together, each by its own aggregator, as prom-client does for a cluster
 * (`AggregatorRegistry`), and beyond it: sums never fall when a worker is replaced, and histograms are only added where
 * their buckets are the same. Summaries cannot be added (a sum of medians is no median): where no other aggregator is named,
 * they are shown for each worker.
 */
import { labelsKey, type Family, type Labels } from './family.ts';
import type { Problems } from './problems.ts';
import type { AppFamily, AppPoint } from './read-app-metrics.ts';
import { runningKey, type Running, type RunningTotals } from './running-totals.ts';
import { SLICE, type Sliced } from './slices.ts';

/** Of one worker, in the order of slots. */
export interface WorkerFamilies {
  readonly worker: string;
  readonly families: readonly AppFamily[];
}

/** What of a worker is added up: counters and histograms whose aggregator is `sum`. */
export function* runningOf(families: readonly AppFamily[]): Generator<Running> {
  for (const { name, type, aggregator, points } of families) {
    if (isRunning(type, aggregator)) for (const point of points.values()) yield { name, ...point };
  }
}

const isRunning = (type: AppFamily['type'], aggregator: AppFamily['aggregator']): boolean =>
  aggregator === 'sum' && (type === 'counter' || type === 'histogram');

interface Held {
  readonly worker: string;
  readonly point: AppPoint;
}

/** Label names are those of the app, with `worker` only where a metric is shown for each. */
export function* mergeAppMetrics(
  workers: readonly WorkerFamilies[],
  totals: RunningTotals,
  problems: Problems,
): Sliced<Family[]> {
  const byName = new Map<string, { readonly head: AppFamily; readonly held: Map<string, Held[]> }>();
  for (const { worker, families } of workers) {
    for (const family of families) {
      let entry = byName.get(family.name);
      if (entry === undefined) byName.set(family.name, (entry = { head: family, held: new Map() }));
      if (entry.head.type !== family.type) {
        problems.add('type-conflict', family.name, family.points.size);
        continue;
      }
      for (const [key, point] of family.points) {
        const list = entry.held.get(key);
        if (list === undefined) entry.held.set(key, [{ worker, point }]);
        else list.push({ worker, point });
      }
    }
    yield;
  }
  const sums = totals.sums();
  yield;
  const byMetric = new Map<string, Running[]>();
  for (const sum of sums.values()) {
    const list = byMetric.get(sum.name);
    if (list === undefined) byMetric.set(sum.name, [sum]);
    else list.push(sum);
  }
  const merged: Family[] = [];
  for (const { head, held } of byName.values()) {
    if (head.aggregator === 'omit') continue;
    const points: AppPoint[] = [];
    for (const list of held.values()) {
      points.push(...mergePoint(head, list, sums, problems));
      if (points.length % SLICE === 0) yield;
    }
    if (isRunning(head.type, head.aggregator)) {
      // What only ended workers had: it would be gone for a moment, and be there again.
      for (const sum of byMetric.get(head.name) ?? []) {
        if (!held.has(labelsKey(sum.labels)) && hasType(sum, head.type)) points.push(sum);
      }
    }
    merged.push(toFamily(head, points));
  }
  return merged;
}

/** Each worker's as they are, with `worker` beside the app's labels. */
export function listAppMetrics(workers: readonly WorkerFamilies[], problems: Problems): Family[] {
  const byName = new Map<string, { readonly head: AppFamily; readonly points: AppPoint[] }>();
  for (const { worker, families } of workers) {
    for (const family of families) {
      let entry = byName.get(family.name);
      if (entry === undefined) byName.set(family.name, (entry = { head: family, points: [] }));
      if (entry.head.type === family.type)
        entry.points.push(...[...family.points.values()].map((point) => ofWorker(worker, point)));
      else problems.add('type-conflict', family.name, family.points.size);
    }
  }
  return [...byName.values()].map(({ head, points }) => toFamily(head, points));
}

function mergePoint(
  head: AppFamily,
  held: readonly Held[],
  sums: ReadonlyMap<string, Running>,
  problems: Problems,
): AppPoint[] {
  const [first] = held;
  if (first === undefined) return [];
  const { point } = first;
  const isSame = held.every(({ point: other }) => other.shape.join() === point.shape.join());
  if (!isSame) problems.add('different-buckets', head.name, held.length);
  if (!isSame || (head.type === 'summary' && head.aggregator === 'sum')) {
    return held.map((one) => ofWorker(one.worker, one.point));
  }
  if (isRunning(head.type, head.aggregator)) return [sums.get(runningKey({ name: head.name, ...point })) ?? point];
  const columns = point.numbers.map((_, at) => held.map((one) => one.point.numbers[at] ?? NaN));
  const numbers = columns.map((column) => aggregate(head.aggregator, column));
  return [{ ...point, numbers }];
}

/** What is no number counts only where there is nothing else. */
export function aggregate(aggregator: AppFamily['aggregator'], values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  const [first = NaN] = numbers;
  if (numbers.length === 0) return NaN;
  const sum = (): number => numbers.reduce((total, value) => total + value);
  if (aggregator === 'sum') return sum();
  if (aggregator === 'average') return sum() / numbers.length;
  if (aggregator === 'min') return numbers.reduce((least, value) => Math.min(least, value));
  if (aggregator === 'max') return numbers.reduce((most, value) => Math.max(most, value));
  return first;
}

/** Where the app has a label `worker` itself, ours has another name, as Prometheus does with labels of a target. */
const ofWorker = (worker: string, point: AppPoint): AppPoint => ({
  ...point,
  labels: withLabels([['worker', worker]], point.labels),
});

/** `own` in front; labels of the app that have one of their names become `exported_…`, as with Prometheus. */
export function withLabels(own: Labels, labels: Labels): Labels {
  const taken = new Set([...own, ...labels].map(([name]) => name));
  const ours = new Set(own.map(([name]) => name));
  const renamed = labels.map(([name, value]) => {
    if (!ours.has(name)) return [name, value] as const;
    let free = `exported_${name}`;
    while (taken.has(free)) free = `exported_${free}`;
    taken.add(free);
    return [free, value] as const;
  });
  return [...own, ...renamed];
}

const hasType = ({ shape, numbers }: AppPoint, type: AppFamily['type']): boolean =>
  type === 'counter' ? numbers.length === 1 : numbers.length === shape.length + 2;

function toFamily({ name, help, type }: AppFamily, points: readonly AppPoint[]): Family {
  if (type === 'counter' || type === 'gauge') {
    return { name, help, type, points: points.map(({ labels, numbers }) => ({ labels, value: numbers[0] ?? NaN })) };
  }
  const split = points.map(({ labels, shape, numbers }) => ({
    labels,
    shape,
    numbers: numbers.slice(0, shape.length),
    count: numbers[shape.length] ?? 0,
    sum: numbers[shape.length + 1] ?? NaN,
  }));
  return type === 'histogram'
    ? {
        name,
        help,
        type,
        points: split.map(({ shape, numbers, ...rest }) => ({ ...rest, bounds: shape, cumulative: numbers })),
      }
    : {
        name,
        help,
        type,
        points: split.map(({ shape, numbers, ...rest }) => ({
          ...rest,
          quantiles: shape.map((quantile, at) => [quantile, numbers[at] ?? NaN] as const),
        })),
      };
}
