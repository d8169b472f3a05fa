/**
 * The figures that are kept over time, and how two of them become one: of the same worker one after the other, and of several
 * workers at the same time. Counters are kept as what was added in the period, so that nothing has to know of restarts later.
 */

/** `ms` of a period is its weight in a mean. */
export type Fold = 'sum' | 'mean' | 'max';

export interface Column {
  readonly inTime: Fold;
  readonly overWorkers: Fold;
  /** As it is read: a counter per second, a gauge as it is; `scale` is what a stored number is divided by. */
  readonly kind: 'counter' | 'gauge';
  readonly scale: number;
}

const counter = (scale = 1): Column => ({ inTime: 'sum', overWorkers: 'sum', kind: 'counter', scale });
const gauge = (inTime: Fold, overWorkers: Fold, scale = 1): Column => ({ inTime, overWorkers, kind: 'gauge', scale });

/** Stored as whole numbers, which SQLite keeps in as few bytes as they need. */
export const COLUMNS = {
  begun: counter(),
  served: counter(),
  failed: counter(),
  lost: counter(),
  aborted: counter(),
  refused: counter(),
  status1xx: counter(),
  status2xx: counter(),
  status3xx: counter(),
  status4xx: counter(),
  status5xx: counter(),
  connections: counter(),
  upgrades: counter(),
  /** Seconds of a processor. */
  cpu: counter(1e6),
  gcPause: counter(1e6),
  gcCount: counter(),
  rssBytes: gauge('mean', 'sum'),
  heapUsedBytes: gauge('mean', 'sum'),
  heapTotalBytes: gauge('mean', 'sum'),
  externalBytes: gauge('mean', 'sum'),
  heapAfterGcBytes: gauge('mean', 'sum'),
  /** Share, 0–1. */
  eventLoopUtilization: gauge('mean', 'mean', 1e6),
  delayMeanMs: gauge('mean', 'mean', 1e3),
  delayP99Ms: gauge('max', 'max', 1e3),
  delayMaxMs: gauge('max', 'max', 1e3),
  openConnections: gauge('mean', 'sum', 1e3),
  inFlight: gauge('mean', 'sum', 1e3),
  acceptQueue: gauge('max', 'sum'),
  workers: gauge('mean', 'sum', 1e3),
} as const satisfies Readonly<Record<string, Column>>;

export type ColumnName = keyof typeof COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];
const FOLDS = COLUMN_NAMES.map((name) => COLUMNS[name]);

/** What happened in one period to one worker, or to an app. Numbers in the order of {@link COLUMN_NAMES}; null: not known. */
export interface Sample {
  /** Beginning of the period, milliseconds since 1970. */
  at: number;
  /** How much of the period was seen. */
  ms: number;
  readonly values: (number | null)[];
  /** Log-linear histogram of what ended in the period: count by bucket. */
  readonly latency: Map<number, number>;
  /** What was added to counters of the app's own that objectives ask for. */
  readonly named: Map<string, number>;
}

export const emptySample = (at: number): Sample => ({
  at,
  ms: 0,
  values: COLUMN_NAMES.map(() => null),
  latency: new Map(),
  named: new Map(),
});

/** Adds `from` to `into`, which has the longer period. */
export function foldInTime(into: Sample, from: Sample): void {
  const [before, after] = [into.ms, from.ms];
  FOLDS.forEach(({ inTime }, at) => {
    into.values[at] = foldNumber(inTime, into.values[at] ?? null, before, from.values[at] ?? null, after);
  });
  into.ms = before + after;
  addCounts(into, from);
}

/** Adds one more worker to the sample of an app; `workers`: how many are in it already. */
export function foldWorkers(into: Sample, from: Sample, workers: number): void {
  FOLDS.forEach(({ overWorkers }, at) => {
    into.values[at] = foldNumber(overWorkers, into.values[at] ?? null, workers, from.values[at] ?? null, 1);
  });
  into.ms = Math.max(into.ms, from.ms);
  addCounts(into, from);
}

function foldNumber(fold: Fold, a: number | null, aWeight: number, b: number | null, bWeight: number): number | null {
  if (a === null || b === null) return a ?? b;
  if (fold === 'sum') return a + b;
  if (fold === 'max') return Math.max(a, b);
  const weight = aWeight + bWeight;
  return weight === 0 ? b : (a * aWeight + b * bWeight) / weight;
}

function addCounts(into: Sample, from: Sample): void {
  for (const [bucket, count] of from.latency) into.latency.set(bucket, (into.latency.get(bucket) ?? 0) + count);
  for (const [name, count] of from.named) into.named.set(name, (into.named.get(name) ?? 0) + count);
}
