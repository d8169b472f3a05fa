/** Apps and workers as tables. */
import type {
  AppDetailDocument,
  AppDocument,
  CrashDocument,
  LogDropDocument,
  PortDocument,
  WorkerDocument,
} from '../../protocol/index.ts';
import type { CliContext, Style } from '../context.ts';
import { toPlain, toPlainLines } from './plain.ts';
import { renderTable } from './table.ts';
import { formatAge, formatBytes, formatNumber, formatTime } from './values.ts';

const STYLES: Readonly<Record<string, Style>> = {
  online: 'green',
  ready: 'green',
  healthy: 'green',
  completed: 'green',
  starting: 'yellow',
  degraded: 'yellow',
  draining: 'yellow',
  stopping: 'yellow',
  backoff: 'red',
  'crash-loop': 'red',
  critical: 'red',
  failed: 'red',
  'rolled-back': 'red',
  aborted: 'red',
};

export const paintStatus = (status: string, { paint }: Pick<CliContext, 'paint'>): string =>
  paint(STYLES[status] ?? 'dim', status);

const formatPort = ({ host, port }: PortDocument): string => {
  if (port === null) return host ?? '–';
  if (host === null || host === '::' || host === '0.0.0.0') return String(port);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};

const HEAD = ['app', 'status', 'pid', 'ready', 'cpu', 'memory', 'restarts', 'uptime', 'connections', 'ports'];

/** A check may say a page of HTML. */
const LONGEST_REASON = 300;

/** A reason may carry a whole stack; `drover why` and `--json` have all of it. */
export const firstLine = (text: string): string => {
  const line = toPlain(text.split('\n', 1)[0] ?? '');
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
};

/** One line for each app, and one below it for each of its workers. */
export const renderApps = (apps: readonly AppDocument[], context: CliContext): string => {
  if (apps.length === 0) return 'No apps. Start one with `drover start <script>`.';
  return renderTable(
    HEAD,
    apps.flatMap((app) => [
      renderAppRow(app, context),
      ...app.workers.map((worker) => renderWorkerRow(worker, context)),
    ]),
  );
};

const renderAppRow = (app: AppDocument, context: CliContext): string[] => {
  const ready = app.workers.filter((worker) => worker.ready).length;
  const sum = (key: 'cpuPercent' | 'rssBytes' | 'restarts' | 'connections'): number | null => {
    const values = app.workers.map((worker) => worker[key]).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
  };
  return [
    context.paint('bold', app.name),
    paintStatus(app.status, context),
    '',
    `${ready}/${app.instances}`,
    formatNumber(sum('cpuPercent')),
    formatBytes(sum('rssBytes')),
    formatNumber(sum('restarts')),
    '',
    formatNumber(sum('connections')),
    app.ports.map(formatPort).join(' ') || '–',
  ];
};

const renderWorkerRow = (worker: WorkerDocument, context: CliContext): string[] => [
  `  ${worker.id}`,
  paintStatus(worker.status, context),
  formatNumber(worker.pid),
  worker.ready ? 'yes' : 'no',
  formatNumber(worker.cpuPercent),
  formatBytes(worker.rssBytes),
  String(worker.restarts),
  formatAge(worker.startedAt, context.nowMs()),
  formatNumber(worker.connections),
  worker.reason === null ? '' : context.paint('dim', firstLine(worker.reason)),
];

const describeDrops = ({ lines, bytes, dropping, code }: LogDropDocument, { paint }: CliContext): string =>
  paint(
    dropping ? 'red' : 'yellow',
    `${lines} lines (${formatBytes(bytes)}) dropped${dropping ? ', still' : ''}: ${code}`,
  );

/** Undefined from a daemon of the version before. */
const renderCrash = (crash: CrashDocument | null | undefined, { paint }: CliContext): readonly string[] =>
  crash
    ? [
        '',
        `last crash: ${crash.worker} ${firstLine(crash.reason ?? 'ended')} (${formatTime(crash.at)})`,
        ...crash.lastLines.map((line) => paint('dim', `  | ${line}`)),
      ]
    : [];

/** One app in depth. */
export const renderDetail = (app: AppDetailDocument, context: CliContext): string => {
  const ports = app.ports.map((port) => `${formatPort(port)} ${port.protocol}${port.declared ? '' : ' (learned)'}`);
  const last = app.lastOperation;
  const drops = app.workers.flatMap(({ id, logDropped }) =>
    logDropped ? [[`output of ${id}`, describeDrops(logDropped, context)] as const] : [],
  );
  const facts: readonly (readonly [string, string])[] = [
    ['status', `${paintStatus(app.status, context)}${app.reason === null ? '' : `: ${toPlainLines(app.reason)}`}`],
    ['command', app.command.join(' ')],
    ['directory', app.cwd],
    ['configuration', app.file ?? 'none (started from the command line)'],
    ['release', String(app.release)],
    ['workers', `${app.workers.filter((worker) => worker.ready).length} of ${app.instances} ready`],
    ['ports', ports.join(', ') || 'none'],
    ['dispatch', app.dispatch],
    ['logs', app.logs.directory],
    ...drops,
    [
      'last operation',
      last === null
        ? 'none'
        : `${last.kind} ${last.id}: ${last.receipt?.outcome ?? last.phase} (${formatTime(last.startedAt)})`,
    ],
  ];
  return [
    context.paint('bold', app.name),
    ...facts.map(([name, value]) => `  ${name.padEnd(15)} ${value}`),
    '',
    renderTable(
      HEAD.slice(0, -1).concat('reason'),
      app.workers.map((worker) => renderWorkerRow(worker, context)),
    ),
    ...renderCrash(app.lastCrash, context),
  ].join('\n');
};
