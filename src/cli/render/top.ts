/** The screen of `drover top`: what the host does, each app, and its workers by what they take. */
import type { AppDocument, AppHealthDocument, HealthDocument, WorkerDocument } from '../../protocol/index.ts';
import type { CliContext } from '../context.ts';
import { firstLine, paintStatus } from './apps.ts';
import { renderTable } from './table.ts';
import { formatBytes, formatMs, formatNumber, formatTime } from './values.ts';

/** Keys that choose the order, and what each goes by. */
export const ORDERS = {
  n: { name: 'name', of: (): number => 0 },
  c: { name: 'cpu', of: (worker: WorkerDocument): number => worker.cpuPercent ?? -1 },
  m: { name: 'memory', of: (worker: WorkerDocument): number => worker.rssBytes ?? -1 },
  r: { name: 'requests', of: (worker: WorkerDocument): number => worker.requestsPerSecond ?? -1 },
  l: { name: 'latency', of: (worker: WorkerDocument): number => worker.latencyMs.p99 ?? -1 },
} as const;
export type OrderKey = keyof typeof ORDERS;

export interface TopView {
  readonly apps: readonly AppDocument[];
  readonly health: HealthDocument;
  readonly order: OrderKey;
  readonly atMs: number;
}

const HEAD = [
  'worker',
  'health',
  'cpu',
  'memory',
  'heap',
  'loop',
  'delay',
  'req/s',
  'errors',
  'p50',
  'p99',
  'open',
  'in flight',
  'share',
  '',
];

const sum = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
};

export const renderTop = ({ apps, health, order, atMs }: TopView, context: CliContext): string[] => {
  const workers = apps.flatMap((app) => app.workers);
  const head = [
    `${context.paint('bold', 'drover top')}  ${formatTime(new Date(atMs).toISOString())}  ${paintStatus(health.status, context)}`,
    `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}, ${workers.filter(({ ready }) => ready).length} of ${workers.length} workers ready, ` +
      `cpu ${formatNumber(sum(workers.map(({ cpuPercent }) => cpuPercent)))} %, ` +
      `memory ${formatBytes(sum(workers.map(({ rssBytes }) => rssBytes)))}, ` +
      `${formatNumber(sum(workers.map(({ requestsPerSecond }) => requestsPerSecond)), 1)} req/s`,
    '',
  ];
  const rows = apps.flatMap((app) => {
    const found = health.apps.find(({ name }) => name === app.name);
    return [
      appRow(app, found, context),
      ...sorted(app.workers, order).map((worker) => workerRow(worker, found, context)),
    ];
  });
  const keys = Object.entries(ORDERS).map(([key, { name }]) =>
    key === order ? context.paint('bold', `${key} ${name}`) : `${key} ${name}`,
  );
  return [
    ...head,
    ...renderTable(HEAD, rows).split('\n'),
    '',
    context.paint('dim', `order: ${keys.join('  ')}   q quit`),
  ];
};

const sorted = (workers: readonly WorkerDocument[], order: OrderKey): readonly WorkerDocument[] =>
  order === 'n' ? workers : workers.toSorted((a, b) => ORDERS[order].of(b) - ORDERS[order].of(a));

const appRow = (app: AppDocument, health: AppHealthDocument | undefined, context: CliContext): string[] => {
  const of = (
    key: 'cpuPercent' | 'rssBytes' | 'heapUsedBytes' | 'requestsPerSecond' | 'connections' | 'inFlight',
  ): number | null => sum(app.workers.map((worker) => worker[key]));
  return [
    context.paint('bold', app.name),
    paintStatus(health?.status ?? app.status, context),
    formatNumber(of('cpuPercent')),
    formatBytes(of('rssBytes')),
    formatBytes(of('heapUsedBytes')),
    '',
    '',
    formatNumber(of('requestsPerSecond'), 1),
    '',
    '',
    '',
    formatNumber(of('connections')),
    formatNumber(of('inFlight')),
    '',
    firstLine(health?.reason ?? app.reason ?? ''),
  ];
};

const workerRow = (worker: WorkerDocument, app: AppHealthDocument | undefined, context: CliContext): string[] => {
  const health = app?.workers.find(({ id }) => id === worker.id);
  return [
    `  ${worker.id}`,
    paintStatus(worker.ready ? (health?.status ?? worker.status) : worker.status, context),
    formatNumber(worker.cpuPercent),
    formatBytes(worker.rssBytes),
    formatBytes(worker.heapUsedBytes),
    worker.eventLoopUtilization === null ? '–' : `${formatNumber(worker.eventLoopUtilization * 100)}%`,
    formatMs(health?.eventLoop.delayMs ?? null),
    formatNumber(worker.requestsPerSecond, 1),
    worker.errorShare === null ? '–' : `${formatNumber(worker.errorShare * 100, 1)}%`,
    formatMs(worker.latencyMs.p50),
    formatMs(worker.latencyMs.p99),
    formatNumber(worker.connections),
    formatNumber(worker.inFlight),
    `${formatNumber(worker.weight)}%`,
    context.paint('dim', firstLine(health?.reason ?? worker.reason ?? '')),
  ];
};
