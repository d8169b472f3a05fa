/**
 * Every metric that Drover itself shows: name, type, meaning, how workers are put together, and where its value comes from.
 * `docs/metrics.md` is written from this table. The first part has the names, help texts and aggregators of prom-client 15.1.3
 * (its `collectDefaultMetrics`), so that boards made for it work; the second has our own.
 *
 * Three gauges of prom-client end in `_total`, which is kept for counters: their type is said to be unknown, which no
 * board sees and promtool accepts.
 */
import type { AgentReport, RuntimeDetail } from '../../protocol/index.ts';
import type { Labels } from './family.ts';
import { LATENCY_BOUNDS_SECONDS, toLatencyBuckets } from './latency-buckets.ts';
import type { Aggregator } from './read-app-metrics.ts';
import type { WorkerReading } from './reading.ts';
import { writeBound } from './write-text.ts';

/** `shape` and `numbers` as those of an `AppPoint`. */
export interface OwnPoint {
  readonly labels: Labels;
  readonly shape: readonly string[];
  readonly numbers: readonly number[];
}

export interface OwnMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'unknown';
  readonly help: string;
  /** How the workers of an app are put together. */
  readonly aggregator: Aggregator;
  /** Names of its labels beside `app` and `worker`. */
  readonly labels: readonly string[];
  readonly read: (source: Source) => readonly OwnPoint[];
}

export interface Source {
  readonly reading: WorkerReading;
  readonly report: AgentReport;
  /** Null where the agent has not told it yet. */
  readonly detail: RuntimeDetail | null;
  /** Of its data segment, from the system; null where it cannot be seen. */
  readonly dataBytes: number | null;
}

const plain = (value: number | null | undefined): readonly OwnPoint[] =>
  value === null || value === undefined ? [] : [{ labels: [], shape: [], numbers: [value] }];

const labelled = (label: string, values: Iterable<readonly [string, number]>): readonly OwnPoint[] =>
  [...values].map(([value, number]) => ({ labels: [[label, value]], shape: [], numbers: [number] }));

type Metric = Omit<OwnMetric, 'labels' | 'aggregator'> & Partial<Pick<OwnMetric, 'labels' | 'aggregator'>>;
const metric = (given: Metric): OwnMetric => ({ labels: [], aggregator: 'sum', ...given });

const gauge = (
  name: string,
  help: string,
  value: (source: Source) => number | null | undefined,
  aggregator: Aggregator = 'sum',
) => metric({ name, type: 'gauge', help, aggregator, read: (source) => plain(value(source)) });
const counter = (name: string, help: string, value: (source: Source) => number | null | undefined) =>
  metric({ name, type: 'counter', help, read: (source) => plain(value(source)) });

type LagName = keyof NonNullable<RuntimeDetail['lag']>;
const lag = (suffix: string, of: LagName, help: string, aggregator: Aggregator = 'average') =>
  gauge(`nodejs_eventloop_lag${suffix}_seconds`, help, ({ detail }) => detail?.lag?.[of], aggregator);

type SpaceName = 'sizeBytes' | 'usedBytes' | 'availableBytes';
const space = (word: string, of: SpaceName) =>
  metric({
    name: `nodejs_heap_space_size_${word}_bytes`,
    type: 'gauge',
    help: `Process heap space size ${word} from Node.js in bytes.`,
    labels: ['space'],
    // prom-client leaves the suffix of V8's names away: `new`, `old`, `code`.
    read: ({ detail }) =>
      labelled(
        'space',
        (detail?.heapSpaces ?? []).map((one) => [one.name.replace(/_space$/, ''), one[of]] as const),
      ),
  });

/** What prom-client counts by class of object the agent knows by `process.getActiveResourcesInfo()`. */
const isRequest = (type: string): boolean => /Req/.test(type);
const isTimer = (type: string): boolean => /^(Timeout|Immediate)$/.test(type);
const isHandle = (type: string): boolean => !isRequest(type) && !isTimer(type);

function resources(name: string, which: (type: string) => boolean, each: string, all: string): OwnMetric[] {
  const entriesOf = (detail: RuntimeDetail | null): (readonly [string, number])[] =>
    Object.entries(detail?.resources ?? {}).filter(([type]) => which(type));
  return [
    metric({
      name,
      type: 'gauge',
      help: each,
      labels: ['type'],
      read: ({ detail }) => labelled('type', entriesOf(detail)),
    }),
    metric({
      name: `${name}_total`,
      type: 'unknown',
      help: all,
      read: ({ detail }) => plain(detail && entriesOf(detail).reduce((sum, [, count]) => sum + count, 0)),
    }),
  ];
}

const GC_BOUNDS_SECONDS = [0.001, 0.01, 0.1, 1, 10];
export const GC_KINDS = ['major', 'minor', 'incremental', 'weakcb'] as const;

const gcPoints = (detail: RuntimeDetail | null): readonly OwnPoint[] =>
  detail === null
    ? []
    : GC_KINDS.map((kind) => {
        const { count, seconds, buckets } = detail.gc[kind];
        let below = 0;
        const cumulative = GC_BOUNDS_SECONDS.map((_, at) => (below += buckets[at] ?? 0));
        const total = Math.max(count, below);
        return {
          labels: [['kind', kind]],
          shape: GC_BOUNDS_SECONDS.map(writeBound),
          numbers: [...cumulative, total, seconds],
        };
      });

const LATENCY_SHAPE = LATENCY_BOUNDS_SECONDS.map(writeBound);
export const latencyPoint = (labels: Labels, latency: readonly number[]): OwnPoint => {
  const { cumulative, count, sumSeconds } = toLatencyBuckets(latency);
  return { labels, shape: LATENCY_SHAPE, numbers: [...cumulative, count, sumSeconds] };
};

/** `2xx`, which also fits patterns such as `5..` that are written for whole codes. */
export const STATUS_LABEL = 'http_response_status_code';
export const classPoints = (labels: Labels, byClass: readonly number[]): OwnPoint[] =>
  [1, 2, 3, 4, 5].map((status) => ({
    labels: [...labels, [STATUS_LABEL, `${status}xx`]],
    shape: [],
    numbers: [byClass[status] ?? 0],
  }));

const PROM_CLIENT: readonly OwnMetric[] = [
  counter(
    'process_cpu_user_seconds_total',
    'Total user CPU time spent in seconds.',
    ({ report }) => report.runtime.cpuUserUs / 1e6,
  ),
  counter(
    'process_cpu_system_seconds_total',
    'Total system CPU time spent in seconds.',
    ({ report }) => report.runtime.cpuSystemUs / 1e6,
  ),
  counter(
    'process_cpu_seconds_total',
    'Total user and system CPU time spent in seconds.',
    ({ report }) => (report.runtime.cpuUserUs + report.runtime.cpuSystemUs) / 1e6,
  ),
  gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    ({ detail }) => detail?.startedAtSeconds,
    'omit',
  ),
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', ({ report }) => report.runtime.rssBytes),
  gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', ({ detail }) => detail?.virtualBytes),
  gauge('process_heap_bytes', 'Process heap size in bytes.', ({ dataBytes }) => dataBytes),
  gauge('process_open_fds', 'Number of open file descriptors.', ({ detail }) => detail?.openDescriptors),
  gauge('process_max_fds', 'Maximum number of open file descriptors.', ({ detail }) => detail?.maxDescriptors),
  lag('', 'mean', 'Lag of event loop in seconds.'),
  lag('_min', 'min', 'The minimum recorded event loop delay.', 'min'),
  lag('_max', 'max', 'The maximum recorded event loop delay.', 'max'),
  lag('_mean', 'mean', 'The mean of the recorded event loop delays.'),
  lag('_stddev', 'stddev', 'The standard deviation of the recorded event loop delays.'),
  lag('_p50', 'p50', 'The 50th percentile of the recorded event loop delays.'),
  lag('_p90', 'p90', 'The 90th percentile of the recorded event loop delays.'),
  lag('_p99', 'p99', 'The 99th percentile of the recorded event loop delays.'),
  ...resources(
    'nodejs_active_resources',
    () => true,
    'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
    'Total number of active resources.',
  ),
  ...resources(
    'nodejs_active_handles',
    isHandle,
    'Number of active libuv handles grouped by handle type.',
    'Total number of active handles.',
  ),
  ...resources(
    'nodejs_active_requests',
    isRequest,
    'Number of active libuv requests grouped by request type.',
    'Total number of active requests.',
  ),
  gauge(
    'nodejs_heap_size_total_bytes',
    'Process heap size from Node.js in bytes.',
    ({ report }) => report.runtime.heapTotalBytes,
  ),
  gauge(
    'nodejs_heap_size_used_bytes',
    'Process heap size used from Node.js in bytes.',
    ({ report }) => report.runtime.heapUsedBytes,
  ),
  gauge(
    'nodejs_external_memory_bytes',
    'Node.js external memory size in bytes.',
    ({ report }) => report.runtime.externalBytes,
  ),
  space('total', 'sizeBytes'),
  space('used', 'usedBytes'),
  space('available', 'availableBytes'),
  metric({
    name: 'nodejs_version_info',
    type: 'gauge',
    help: 'Node.js version info.',
    aggregator: 'first',
    labels: ['version', 'major', 'minor', 'patch'],
    read: ({ reading }) => {
      const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(reading.node ?? '') ?? [];
      if (major === undefined || minor === undefined || patch === undefined) return [];
      const version = `v${major}.${minor}.${patch}`;
      return [{ labels: Object.entries({ version, major, minor, patch }), shape: [], numbers: [1] }];
    },
  }),
  metric({
    name: 'nodejs_gc_duration_seconds',
    type: 'histogram',
    help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    labels: ['kind'],
    read: ({ detail }) => gcPoints(detail),
  }),
];

const OWN: readonly OwnMetric[] = [
  gauge(
    'drover_worker_ready',
    'Whether the worker is ready to serve: 1 or 0; of an app, how many are.',
    ({ reading }) => (reading.isReady ? 1 : 0),
  ),
  gauge(
    'drover_eventloop_utilization',
    'Share of time the event loop was busy, 0 to 1.',
    ({ report }) => report.runtime.eventLoopUtilization,
    'average',
  ),
  gauge(
    'drover_eventloop_delay_mean_seconds',
    'Mean of event-loop delay since the last report.',
    ({ report }) => report.runtime.delayMs.mean / 1000,
    'average',
  ),
  gauge(
    'drover_eventloop_delay_p99_seconds',
    '99th percentile of event-loop delay since the last report.',
    ({ report }) => report.runtime.delayMs.p99 / 1000,
    'max',
  ),
  gauge(
    'drover_eventloop_delay_max_seconds',
    'Longest event-loop delay since the last report.',
    ({ report }) => report.runtime.delayMs.max / 1000,
    'max',
  ),
  metric({
    name: 'drover_eventloop_time_seconds_total',
    type: 'counter',
    help: 'Time that the event loop was active and idle.',
    labels: ['state'],
    read: ({ detail }) =>
      detail === null
        ? []
        : labelled('state', [
            ['active', detail.loopActiveSeconds],
            ['idle', detail.loopIdleSeconds],
          ]),
  }),
  counter(
    'drover_eventloop_blocks_total',
    'How often the event loop was blocked for longer than health.blockedAfter.',
    ({ report }) => report.block?.number ?? 0,
  ),
  gauge(
    'drover_eventloop_last_block_seconds',
    'How long the last block of the event loop lasted, or has lasted so far.',
    ({ report }) => report.block && report.block.durationMs / 1000,
    'max',
  ),
  counter(
    'drover_gc_pause_seconds_total',
    'Time spent in garbage collections.',
    ({ report }) => report.runtime.gc.pauseMs / 1000,
  ),
  gauge(
    'drover_heap_after_gc_bytes',
    'Heap in use after the last full collection.',
    ({ report }) => report.heapAfterGcBytes,
  ),
  gauge(
    'drover_heap_limit_bytes',
    'What the heap may grow to before V8 gives up.',
    ({ detail }) => detail?.heapLimitBytes,
  ),
  counter('drover_connections_total', 'Connections accepted.', ({ report }) => report.counters.connections),
  gauge('drover_connections_open', 'Open connections.', ({ report }) => report.runtime.openConnections),
  gauge('drover_accept_queue', 'Connections that wait to be accepted.', ({ reading }) => reading.acceptQueue),
  counter(
    'drover_upgrades_total',
    'Connections that became another protocol, such as WebSocket.',
    ({ report }) => report.counters.upgrades,
  ),
  counter('drover_requests_begun_total', 'Requests begun.', ({ report }) => report.counters.begun),
  gauge('drover_requests_in_flight', 'Requests begun and not finished.', ({ report }) => report.runtime.inFlight),
  counter(
    'drover_requests_served_total',
    'Responses finished with a status below 500.',
    ({ report }) => report.counters.served,
  ),
  counter(
    'drover_requests_failed_total',
    'Responses finished with 500 or above.',
    ({ report }) => report.counters.failed,
  ),
  counter(
    'drover_requests_lost_total',
    'Requests begun that were left without a complete response although the client was there.',
    ({ report }) => report.counters.lost,
  ),
  counter(
    'drover_requests_aborted_total',
    'Requests whose client went away before the response was complete.',
    ({ report }) => report.counters.aborted,
  ),
  counter(
    'drover_requests_refused_total',
    'HTTP/2 streams refused, as retryable, during a drain.',
    ({ report }) => report.counters.refused,
  ),
  metric({
    name: 'drover_responses_total',
    type: 'counter',
    help: 'Finished responses by class of status.',
    labels: [STATUS_LABEL],
    read: ({ report }) => classPoints([], report.counters.byClass),
  }),
  metric({
    name: 'drover_request_duration_seconds',
    type: 'histogram',
    help: 'Duration of requests until their response was finished.',
    read: ({ report }) => [latencyPoint([], report.counters.latency)],
  }),
  metric({
    name: 'drover_check_passing',
    type: 'gauge',
    help: 'Whether a check that the app has registered passes: 1 or 0; of an app, the worst of its workers.',
    aggregator: 'min',
    labels: ['check', 'critical'],
    read: ({ report }) =>
      (report.checks ?? [])
        .filter(({ status }) => status !== 'unknown')
        .map(({ name, critical, status }) => ({
          labels: [
            ['check', name],
            ['critical', String(critical)],
          ],
          shape: [],
          numbers: [status === 'pass' ? 1 : 0],
        })),
  }),
  counter(
    'drover_log_dropped_lines_total',
    'Lines of output dropped because their disk was full.',
    ({ report }) => report.log?.lines ?? 0,
  ),
  counter(
    'drover_log_dropped_bytes_total',
    'Bytes of output dropped because their disk was full.',
    ({ report }) => report.log?.bytes ?? 0,
  ),
  counter(
    'drover_agent_cpu_seconds_total',
    'Processor time that the agent itself has taken, as far as it can measure that.',
    ({ detail }) => detail && detail.agentCpuUs / 1e6,
  ),
];

/** What each worker has. */
export const WORKER_METRICS: readonly OwnMetric[] = [...PROM_CLIENT, ...OWN];

/** Those that prom-client collects by itself: an app that does so too has the same, and nothing is missing. */
export const PROM_CLIENT_NAMES: ReadonlySet<string> = new Set(PROM_CLIENT.map(({ name }) => name));

/** What is only there for an app or for the daemon: meaning of the families that `exposition.ts` makes. */
export const APP_METRICS = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    help: 'Duration of HTTP server requests.',
    labels: ['http_request_method', 'http_route'],
  },
  drover_route_responses_total: {
    type: 'counter',
    help: 'Finished responses by route and class of status.',
    labels: ['http_request_method', 'http_route', STATUS_LABEL],
  },
  drover_route_duration_seconds: {
    type: 'summary',
    help: 'Quantiles of the duration of requests by route over the last minute or two.',
    labels: ['http_request_method', 'http_route', 'quantile'],
  },
  drover_app_workers: { type: 'gauge', help: 'How many workers the app should have.', labels: [] },
  drover_app_workers_ready: { type: 'gauge', help: 'Ready workers of an app.', labels: [] },
  drover_app_health: {
    type: 'gauge',
    help: 'Health of the app: 1 for the status that it has, 0 for the others.',
    labels: ['status'],
  },
  drover_worker_health: {
    type: 'gauge',
    help: 'Health of the worker: 1 for the status that it has, 0 for the others.',
    labels: ['worker', 'status'],
  },
  drover_worker_ejected: {
    type: 'gauge',
    help: 'Whether the worker is taken off rotation by its own traffic: 1 or 0.',
    labels: ['worker'],
  },
  drover_worker_weight: { type: 'gauge', help: 'Share of new connections, 0 to 1.', labels: ['worker'] },
  drover_app_degraded: {
    type: 'gauge',
    help: 'What the app was asked to do without: 1 for the level that holds, 0 for the others.',
    labels: ['level'],
  },
  drover_metrics_left_out: {
    type: 'gauge',
    help: "Series of the app's own metrics that are not on this page, by reason.",
    labels: ['reason'],
  },
} as const satisfies Readonly<Record<string, { type: string; help: string; labels: readonly string[] }>>;

export const DAEMON_METRICS = {
  drover_build_info: { type: 'gauge', help: 'Version of the daemon.', labels: ['version'] },
  drover_daemon_start_time_seconds: {
    type: 'gauge',
    help: 'Start time of the daemon since unix epoch in seconds.',
    labels: [],
  },
  drover_daemon_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory size of the daemon in bytes.',
    labels: [],
  },
  drover_daemon_cpu_seconds_total: { type: 'counter', help: 'Processor time that the daemon has taken.', labels: [] },
} as const satisfies Readonly<Record<string, { type: string; help: string; labels: readonly string[] }>>;

/** What the daemon adds from elsewhere ({@link file://./../../health/own-families.ts}): objectives and alerts. */
export const EXTRA_METRICS = {
  drover_slo_objective_ratio: {
    type: 'gauge',
    help: 'Share of events that must be good, 0 to 1.',
    labels: ['app', 'objective'],
  },
  drover_slo_budget_remaining_ratio: {
    type: 'gauge',
    help: 'Share of the error budget that is left; below 0 it is overspent.',
    labels: ['app', 'objective'],
  },
  drover_slo_burn_rate: {
    type: 'gauge',
    help: 'How many times faster than it may the error budget goes; left out where too little happens to tell.',
    labels: ['app', 'objective'],
  },
  drover_alerts_firing: { type: 'gauge', help: 'Alerts that fire.', labels: ['alert', 'app', 'severity'] },
  drover_alerts_undelivered: { type: 'gauge', help: 'Messages about alerts that no receiver took.', labels: [] },
} as const satisfies Readonly<Record<string, { type: 'gauge'; help: string; labels: readonly string[] }>>;
