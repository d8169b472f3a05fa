/**
 * One worker in the terms of OpenTelemetry: names, units and attributes of the semantic conventions for processes, V8,
 * Node.js and HTTP servers (`@opentelemetry/semantic-conventions` 1.45.0; status of most: development). Cumulative, from the
 * start of the worker.
 */
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { GC_KINDS } from '../exposition/catalogue.ts';
import { LATENCY_BOUNDS_SECONDS, toLatencyBuckets } from '../exposition/latency-buckets.ts';
import type { WorkerReading } from '../exposition/reading.ts';
import { gauge, histogram, sum, timesOf, type Point } from './metric-data.ts';

const V8_GC_BOUNDS_SECONDS = [0.01, 0.1, 1, 10];

/** `wallMs`: when the reading was taken. */
export function workerMetrics(reading: WorkerReading, wallMs: number): MetricData[] {
  const { report, collected } = reading;
  const { runtime } = report;
  const detail = collected?.detail ?? null;
  const time = timesOf(reading, wallMs);
  const one = (value: number | null | undefined): Point<number>[] =>
    value === null || value === undefined ? [] : [{ attributes: {}, value }];

  const metrics: MetricData[] = [
    sum(time, 'process.cpu.time', 's', 'Total CPU seconds broken down by different states.', true, [
      { attributes: { 'cpu.mode': 'user' }, value: runtime.cpuUserUs / 1e6 },
      { attributes: { 'cpu.mode': 'system' }, value: runtime.cpuSystemUs / 1e6 },
    ]),
    sum(time, 'process.memory.usage', 'By', 'The amount of physical memory in use.', false, one(runtime.rssBytes)),
    sum(
      time,
      'process.memory.virtual',
      'By',
      'The amount of committed virtual memory.',
      false,
      one(detail?.virtualBytes),
    ),
    sum(
      time,
      'process.unix.file_descriptor.count',
      '{file_descriptor}',
      'Number of unix file descriptors in use by the process.',
      false,
      one(detail?.openDescriptors),
    ),
    gauge(time, 'process.uptime', 's', 'The time the process has been running.', one(runtime.uptimeMs / 1000)),
    gauge(time, 'nodejs.eventloop.utilization', '1', 'Event loop utilization.', one(runtime.eventLoopUtilization)),
    sum(
      time,
      'nodejs.eventloop.time',
      's',
      'Cumulative duration of time the event loop has been in each state.',
      true,
      detail === null
        ? []
        : [
            { attributes: { 'nodejs.eventloop.state': 'active' }, value: detail.loopActiveSeconds },
            { attributes: { 'nodejs.eventloop.state': 'idle' }, value: detail.loopIdleSeconds },
          ],
    ),
    ...DELAYS.map((name) =>
      gauge(time, `nodejs.eventloop.delay.${name}`, 's', `Event loop delay: ${name}.`, one(detail?.lag?.[name])),
    ),
    histogram(
      time,
      'v8js.gc.duration',
      's',
      'Garbage collection duration.',
      detail === null
        ? []
        : GC_KINDS.map((kind) => {
            const { seconds, buckets } = detail.gc[kind];
            // The agent tells pauses up to a millisecond apart, the conventions do not.
            const [upTo1 = 0, upTo10 = 0, ...rest] = buckets;
            const counts = [upTo1 + upTo10, ...V8_GC_BOUNDS_SECONDS.map((_, at) => rest[at] ?? 0)];
            return {
              attributes: { 'v8js.gc.type': kind },
              value: { boundaries: V8_GC_BOUNDS_SECONDS, counts, sum: seconds },
            };
          }),
    ),
    ...SPACES.map(([name, description, of]) =>
      sum(
        time,
        `v8js.memory.heap.${name}`,
        'By',
        description,
        false,
        (detail?.heapSpaces ?? []).map((space) => ({
          attributes: { 'v8js.heap.space.name': space.name },
          value: space[of],
        })),
      ),
    ),
    sum(
      time,
      'v8js.resource.active',
      '{resource}',
      'Number of active resources keeping the event loop alive.',
      false,
      Object.entries(detail?.resources ?? {}).map(([type, value]) => ({
        attributes: { 'v8js.resource.type': type },
        value,
      })),
    ),
    sum(
      time,
      'http.server.active_requests',
      '{request}',
      'Number of active HTTP server requests.',
      false,
      one(runtime.inFlight),
    ),
    histogram(
      time,
      'http.server.request.duration',
      's',
      'Duration of HTTP server requests.',
      (collected?.routes ?? []).map(({ method, route, latency }) => {
        const { cumulative, count, sumSeconds } = toLatencyBuckets(latency);
        const counts = [...cumulative, count].map((value, at) => value - (cumulative[at - 1] ?? 0));
        return {
          attributes: { 'http.request.method': method, 'http.route': route },
          value: { boundaries: LATENCY_BOUNDS_SECONDS, counts, sum: sumSeconds },
        };
      }),
    ),
    sum(
      time,
      'drover.responses',
      '{response}',
      'Finished responses by class of status.',
      true,
      [1, 2, 3, 4, 5].map((status) => ({
        attributes: { 'http.response.status_code': `${status}xx` },
        value: report.counters.byClass[status] ?? 0,
      })),
    ),
  ];
  return metrics.filter(({ dataPoints }) => dataPoints.length > 0);
}

const DELAYS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const;
const SPACES = [
  ['space.size', 'Total heap memory size pre-allocated.', 'sizeBytes'],
  ['used', 'Heap memory size allocated.', 'usedBytes'],
  ['space.available_size', 'Heap space available size.', 'availableBytes'],
  ['space.physical_size', 'Committed size of a heap space.', 'physicalBytes'],
] as const;
