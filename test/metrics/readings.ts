/** Workers as the daemon would know them, for tests of what is shown and kept of them. */
import type { AgentReport, AppMetric, RouteCounters, RuntimeDetail } from '../../src/protocol/index.ts';
import type { AppReading, Collected, WorkerReading } from '../../src/metrics/index.ts';

export const report = (change: Partial<AgentReport> = {}): AgentReport => ({
  seq: 1,
  counters: {
    begun: 12,
    served: 10,
    failed: 2,
    lost: 0,
    aborted: 0,
    refused: 0,
    byClass: [0, 0, 9, 0, 1, 2],
    connections: 4,
    upgrades: 0,
    // 12 requests: 11 of about a millisecond, one of about 300 ms.
    latency: [112, 11, 242, 1],
  },
  runtime: {
    uptimeMs: 60_000,
    rssBytes: 64_000_000,
    heapUsedBytes: 12_000_000,
    heapTotalBytes: 20_000_000,
    externalBytes: 2_000_000,
    cpuUserUs: 1_500_000,
    cpuSystemUs: 250_000,
    eventLoopUtilization: 0.25,
    delayMs: { mean: 1.5, p99: 12, max: 40 },
    gc: { count: 7, pauseMs: 21 },
    openConnections: 3,
    inFlight: 1,
  },
  ...change,
});

export const detail = (change: Partial<RuntimeDetail> = {}): RuntimeDetail => ({
  startedAtSeconds: 1_790_000_000,
  virtualBytes: 1_100_000_000,
  openDescriptors: 25,
  maxDescriptors: 1024,
  heapSpaces: ['new_space', 'old_space', 'code_space'].map((name) => ({
    name,
    sizeBytes: 3_000_000,
    usedBytes: 2_000_000,
    availableBytes: 900_000,
    physicalBytes: 2_900_000,
  })),
  heapLimitBytes: 4_000_000_000,
  lag: { min: 0.001, max: 0.04, mean: 0.0015, stddev: 0.002, p50: 0.001, p90: 0.004, p99: 0.012 },
  loopActiveSeconds: 15,
  loopIdleSeconds: 45,
  resources: { TCPServerWrap: 2, TCPSocketWrap: 3, Timeout: 4, FSReqCallback: 1 },
  gc: {
    major: { count: 2, seconds: 0.02, buckets: [0, 1, 1, 0, 0, 0] },
    minor: { count: 5, seconds: 0.001, buckets: [5, 0, 0, 0, 0, 0] },
    incremental: { count: 0, seconds: 0, buckets: [0, 0, 0, 0, 0, 0] },
    weakcb: { count: 0, seconds: 0, buckets: [0, 0, 0, 0, 0, 0] },
  },
  agentCpuUs: 30_000,
  ...change,
});

export const routes: readonly RouteCounters[] = [
  { method: 'GET', route: '/users/:id', byClass: [0, 0, 8, 0, 1, 0], latency: [112, 9] },
  { method: 'POST', route: '/users', byClass: [0, 0, 1, 0, 0, 2], latency: [112, 2, 242, 1] },
];

export const collected = (app: readonly AppMetric[] = [], change: Partial<Collected> = {}): Collected => ({
  detail: detail(),
  routes,
  app,
  dropped: 0,
  ...change,
});

export const worker = (slot: number, change: Partial<WorkerReading> = {}): WorkerReading => ({
  worker: `shop/${slot}`,
  spawn: `spawn-${slot}`,
  pid: null,
  node: 'v24.21.0',
  isReady: true,
  report: report(),
  collected: collected(),
  acceptQueue: 0,
  ...change,
});

export const app = (workers: readonly WorkerReading[], change: Partial<AppReading> = {}): AppReading => ({
  app: 'shop',
  instances: workers.length,
  readyWorkers: workers.filter(({ isReady }) => isReady).length,
  workers,
  routes: 100,
  ...change,
});

export const counter = (
  name: string,
  value: number,
  labels: AppMetric['values'][number]['labels'] = {},
): AppMetric => ({
  name,
  help: `${name} of a test.`,
  type: 'counter',
  aggregator: 'sum',
  values: [{ value, labels }],
});

export const gauge = (name: string, value: number, aggregator = 'sum'): AppMetric => ({
  name,
  help: `${name} of a test.`,
  type: 'gauge',
  aggregator,
  values: [{ value, labels: {} }],
});

/** As prom-client has it: buckets cumulative, `+Inf` among them. */
export const histogram = (
  name: string,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): AppMetric => {
  let below = 0;
  const total = counts.reduce((all, count) => all + count, 0);
  return {
    name,
    help: `${name} of a test.`,
    type: 'histogram',
    aggregator: 'sum',
    values: [
      ...bounds.map((le, at) => ({ value: (below += counts[at] ?? 0), labels: { le }, metricName: `${name}_bucket` })),
      { value: total, labels: { le: '+Inf' }, metricName: `${name}_bucket` },
      { value: sum, labels: {}, metricName: `${name}_sum` },
      { value: total, labels: {}, metricName: `${name}_count` },
    ],
  };
};
