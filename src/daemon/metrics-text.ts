/** `GET /metrics`: what the agents report, as Prometheus text, for each worker and added up over each app. */
import type { LogDrops, RequestCounters, RuntimeMeasures } from '../protocol/index.ts';
import type { App } from '../supervisor/index.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly value: (runtime: RuntimeMeasures, counters: RequestCounters, log: LogDrops | undefined) => number;
}

const METRICS: readonly Metric[] = [
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory size in bytes.',
    value: (r) => r.rssBytes,
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Process heap size used from Node.js in bytes.',
    value: (r) => r.heapUsedBytes,
  },
  {
    name: 'nodejs_heap_size_total_bytes',
    type: 'gauge',
    help: 'Process heap size from Node.js in bytes.',
    value: (r) => r.heapTotalBytes,
  },
  {
    name: 'nodejs_external_memory_bytes',
    type: 'gauge',
    help: 'Node.js external memory size in bytes.',
    value: (r) => r.externalBytes,
  },
  {
    name: 'process_cpu_user_seconds_total',
    type: 'counter',
    help: 'Total user CPU time spent in seconds.',
    value: (r) => r.cpuUserUs / 1e6,
  },
  {
    name: 'process_cpu_system_seconds_total',
    type: 'counter',
    help: 'Total system CPU time spent in seconds.',
    value: (r) => r.cpuSystemUs / 1e6,
  },
  {
    name: 'drover_eventloop_utilization',
    type: 'gauge',
    help: 'Share of time the event loop was busy, 0 to 1.',
    value: (r) => r.eventLoopUtilization,
  },
  {
    name: 'drover_eventloop_delay_p99_seconds',
    type: 'gauge',
    help: '99th percentile of event-loop delay.',
    value: (r) => r.delayMs.p99 / 1000,
  },
  { name: 'drover_connections_open', type: 'gauge', help: 'Open connections.', value: (r) => r.openConnections },
  {
    name: 'drover_requests_in_flight',
    type: 'gauge',
    help: 'Requests begun and not finished.',
    value: (r) => r.inFlight,
  },
  {
    name: 'drover_requests_served_total',
    type: 'counter',
    help: 'Responses finished with a status below 500.',
    value: (_, c) => c.served,
  },
  {
    name: 'drover_requests_failed_total',
    type: 'counter',
    help: 'Responses finished with 500 or above.',
    value: (_, c) => c.failed,
  },
  {
    name: 'drover_log_dropped_lines_total',
    type: 'counter',
    help: 'Lines of output dropped because their disk was full.',
    value: (_, __, log) => log?.lines ?? 0,
  },
  {
    name: 'drover_log_dropped_bytes_total',
    type: 'counter',
    help: 'Bytes of output dropped because their disk was full.',
    value: (_, __, log) => log?.bytes ?? 0,
  },
  { name: 'drover_connections_total', type: 'counter', help: 'Connections accepted.', value: (_, c) => c.connections },
];

/** Labels are app names and worker ids, which cannot contain quotes or line ends. */
export const metricsText = (apps: readonly App[]): string => {
  const lines: string[] = [];
  for (const { name, type, help, value } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const app of apps) {
      for (const handle of app.liveHandles()) {
        const report = handle.lastReport;
        if (report === null) continue;
        lines.push(
          `${name}{app="${app.app}",worker="${handle.id}"} ${value(report.runtime, report.counters, report.log)}`,
        );
      }
    }
  }
  lines.push('# HELP drover_app_workers_ready Ready workers of an app.', '# TYPE drover_app_workers_ready gauge');
  for (const app of apps) {
    const ready = app.holders.filter((tenant) => tenant.state.phase === 'running').length;
    lines.push(`drover_app_workers_ready{app="${app.app}"} ${ready}`);
  }
  return `${lines.join('\n')}\n`;
};
