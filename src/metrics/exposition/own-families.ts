/** Drover's own families, from what the daemon knows of the workers: for each worker, or put together for each app. */
import {
  APP_METRICS,
  classPoints,
  DAEMON_METRICS,
  latencyPoint,
  WORKER_METRICS,
  type OwnMetric,
  type OwnPoint,
  type Source,
} from './catalogue.ts';
import { labelsKey, type Family, type FamilyType, type Labels } from './family.ts';
import { aggregate } from './merge-app-metrics.ts';
import { cleanText, LONGEST_LABEL_VALUE } from './names.ts';
import { PROBLEM_KINDS, type ProblemKind } from './problems.ts';
import type { AppReading, DaemonReading } from './reading.ts';
import type { RouteRow } from './route-table.ts';
import type { Running } from './running-totals.ts';

/** What the sums of an app are made of: all that only rises. */
export function* ownRunning(source: Source): Generator<Running> {
  for (const metric of WORKER_METRICS) {
    if (isRunning(metric)) for (const point of metric.read(source)) yield { name: metric.name, ...point };
  }
}

const isRunning = ({ type }: OwnMetric): boolean => type === 'counter' || type === 'histogram';

/** One worker and its labels. */
export interface WorkerSource {
  readonly app: string;
  readonly source: Source;
}

export const perWorker = (sources: readonly WorkerSource[]): Family[] =>
  WORKER_METRICS.map((metric) =>
    toFamily(
      metric,
      sources.flatMap(({ app, source }) =>
        metric.read(source).map((point) => ({
          ...point,
          labels: [['app', app], ['worker', source.reading.worker], ...cleanLabels(point.labels)] satisfies Labels,
        })),
      ),
    ),
  );

/** `sums`: of {@link ownRunning}. */
export function perApp(app: string, sources: readonly Source[], sums: ReadonlyMap<string, Running>): Family[] {
  const label = (point: OwnPoint): OwnPoint => ({ ...point, labels: [['app', app], ...cleanLabels(point.labels)] });
  return WORKER_METRICS.filter(({ aggregator }) => aggregator !== 'omit').map((metric) => {
    if (isRunning(metric)) {
      const points = [...sums.values()].filter(({ name }) => name === metric.name);
      return toFamily(metric, points.map(label));
    }
    const groups = new Map<string, OwnPoint[]>();
    for (const source of sources) {
      for (const point of metric.read(source)) {
        const key = labelsKey(point.labels);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [point]);
        else group.push(point);
      }
    }
    const points = [...groups.values()].flatMap((group) => {
      const [first] = group;
      const values = group.map(({ numbers }) => numbers[0] ?? NaN);
      return first === undefined ? [] : [{ ...first, numbers: [aggregate(metric.aggregator, values)] }];
    });
    return toFamily(metric, points.map(label));
  });
}

const toFamily = ({ name, help, type }: OwnMetric, points: readonly OwnPoint[]): Family =>
  type === 'histogram'
    ? { name, help, type, points: points.map(toHistogram) }
    : { name, help, type, points: points.map(({ labels, numbers }) => ({ labels, value: numbers[0] ?? NaN })) };

const toHistogram = ({ labels, shape, numbers }: OwnPoint) => ({
  labels,
  bounds: shape,
  cumulative: numbers.slice(0, shape.length),
  count: numbers[shape.length] ?? 0,
  sum: numbers[shape.length + 1] ?? 0,
});

/** Names of checks and types of resources are the app's. */
const cleanLabels = (labels: Labels): Labels =>
  labels
    .map(([name, value]) => [name, cleanText(value, LONGEST_LABEL_VALUE)] as const)
    .filter(([, value]) => value !== '');

export interface AppFigures {
  readonly reading: AppReading;
  readonly routes: readonly RouteRow[];
  readonly leftOut: ReadonlyMap<ProblemKind, number>;
}

const MOST_QUANTILES = [
  ['0.5', 'p50Ms'],
  ['0.95', 'p95Ms'],
  ['0.99', 'p99Ms'],
] as const;

/** What only an app has: how many workers, its health, its routes. */
export function ofApps(apps: readonly AppFigures[]): Family[] {
  const plain = (name: keyof typeof APP_METRICS, values: (figures: AppFigures) => readonly OwnPoint[]): Family => {
    const points = apps.flatMap((figures) =>
      values(figures).map(({ labels, numbers }) => ({
        labels: [['app', figures.reading.app], ...cleanLabels(labels)] satisfies Labels,
        value: numbers[0] ?? NaN,
      })),
    );
    const { type, help } = APP_METRICS[name];
    return { name, help, type: type as 'gauge' | 'counter', points };
  };
  const routes = apps.flatMap(({ reading, routes: rows }) =>
    rows.map((row) => ({
      row,
      labels: [
        ['app', reading.app],
        ['http_request_method', row.method],
        ['http_route', row.route],
      ] satisfies Labels,
    })),
  );
  return [
    plain('drover_app_workers', ({ reading }) => [number([], reading.instances)]),
    plain('drover_app_workers_ready', ({ reading }) => [number([], reading.readyWorkers)]),
    plain('drover_app_health', ({ reading }) =>
      reading.health === undefined ? [] : oneOf('status', HEALTH, reading.health.status),
    ),
    plain('drover_app_degraded', ({ reading }) =>
      reading.health === undefined ? [] : oneOf('level', LEVELS, reading.health.level),
    ),
    plain('drover_worker_health', ({ reading }) =>
      (reading.health?.workers ?? []).flatMap(({ id, status }) => oneOf('status', HEALTH, status, [['worker', id]])),
    ),
    plain('drover_worker_ejected', ({ reading }) =>
      (reading.health?.workers ?? []).map(({ id, ejectedUntil }) =>
        number([['worker', id]], ejectedUntil === null ? 0 : 1),
      ),
    ),
    plain('drover_worker_weight', ({ reading }) =>
      (reading.health?.workers ?? []).map(({ id, weight }) => number([['worker', id]], weight / 100)),
    ),
    {
      name: 'http_server_request_duration_seconds',
      ...headOf('http_server_request_duration_seconds'),
      type: 'histogram',
      points: routes.map(({ row, labels }) => toHistogram(latencyPoint(labels, row.latency))),
    },
    {
      name: 'drover_route_responses_total',
      ...headOf('drover_route_responses_total'),
      type: 'counter',
      points: routes.flatMap(({ row, labels }) =>
        classPoints(labels, row.byClass).map((point) => ({ labels: point.labels, value: point.numbers[0] ?? 0 })),
      ),
    },
    {
      name: 'drover_route_duration_seconds',
      ...headOf('drover_route_duration_seconds'),
      type: 'summary',
      points: routes.map(({ row, labels }) => {
        const { count, sum } = toHistogram(latencyPoint(labels, row.latency));
        const quantiles = MOST_QUANTILES.map(
          ([quantile, name]) => [quantile, (row.recent[name] ?? NaN) / 1000] as const,
        );
        return { labels, quantiles, count, sum };
      }),
    },
    plain('drover_metrics_left_out', ({ leftOut }) =>
      PROBLEM_KINDS.map((kind) => number([['reason', kind]], leftOut.get(kind) ?? 0)),
    ),
  ];
}

const HEALTH = ['healthy', 'degraded', 'critical'];
const LEVELS = ['normal', 'shed', 'cache-only', 'read-only'];

const headOf = (name: keyof typeof APP_METRICS): { readonly help: string } => ({ help: APP_METRICS[name].help });
const number = (labels: Labels, value: number): OwnPoint => ({ labels, shape: [], numbers: [value] });
const oneOf = (label: string, words: readonly string[], holds: string, labels: Labels = []): OwnPoint[] =>
  words.map((word) => number([...labels, [label, word]], word === holds ? 1 : 0));

export function ofDaemon({ version, startedAtSeconds, rssBytes, cpuSeconds }: DaemonReading): Family[] {
  const family = (name: keyof typeof DAEMON_METRICS, value: number, labels: Labels = []): Family => {
    const { type, help } = DAEMON_METRICS[name];
    return { name, type, help, points: [{ labels, value }] };
  };
  return [
    family('drover_build_info', 1, [['version', cleanText(version, LONGEST_LABEL_VALUE) || 'unknown']]),
    family('drover_daemon_start_time_seconds', startedAtSeconds),
    family('drover_daemon_resident_memory_bytes', rssBytes),
    family('drover_daemon_cpu_seconds_total', cpuSeconds),
  ];
}

/** Names and types of all families of this file, whether they have series or not. */
export const OWN_TYPES: ReadonlyMap<string, FamilyType> = new Map<string, FamilyType>([
  ...WORKER_METRICS.map(({ name, type }) => [name, type] as const),
  ...Object.entries(APP_METRICS).map(([name, { type }]) => [name, type] as const),
  ...Object.entries(DAEMON_METRICS).map(([name, { type }]) => [name, type] as const),
]);
