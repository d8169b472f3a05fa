/** The health of apps as a table, and below a worker each check of it that does not pass. */
import type { CheckDocument, HealthDocument, WorkerHealthDocument } from '../../protocol/index.ts';
import type { CliContext } from '../context.ts';
import { firstLine, paintStatus } from './apps.ts';
import { toPlain, toPlainName } from './plain.ts';
import { renderTable } from './table.ts';
import { formatMs, formatNumber } from './values.ts';

const HEAD = ['app', 'health', 'loop delay', 'loop %', 'share', 'reason'];
/** On a narrow terminal the figures make room for the reason. */
const NARROW = 80;
const FIGURES: ReadonlySet<number> = new Set([2, 3, 4]);

export const renderHealth = ({ apps }: HealthDocument, context: CliContext): string =>
  apps.length === 0
    ? 'No apps. Start one with `drover start <script>`.'
    : renderCells(
        context,
        apps.flatMap(({ name, status, reason, level, workers }) => [
          [
            context.paint('bold', name),
            paintStatus(status, context),
            '',
            '',
            '',
            [level === 'normal' ? null : level, reason === null ? null : firstLine(reason)]
              .filter((part) => part !== null)
              .join('; '),
          ],
          ...workers.flatMap((worker) => [
            workerRow(worker, context),
            ...failingRows(worker, context),
            ...warnedRows(worker, context),
          ]),
        ]),
      );

const renderCells = (context: CliContext, rows: readonly (readonly string[])[]): string => {
  const fits = context.columns >= NARROW;
  const [head = [], ...others] = [HEAD, ...rows].map((row) => row.filter((_, at) => fits || !FIGURES.has(at)));
  return renderTable(head, others);
};

const workerRow = ({ id, status, reason, eventLoop, weight }: WorkerHealthDocument, context: CliContext): string[] => [
  `  ${id}`,
  paintStatus(status, context),
  formatMs(eventLoop.delayMs),
  formatNumber(eventLoop.utilization === null ? null : eventLoop.utilization * 100),
  `${formatNumber(weight)}%`,
  [reason === null ? null : firstLine(reason), blockOf(eventLoop)].filter((part) => part !== null).join('; '),
];

/** Where it was blocked last, as long as nothing else is to be said of that. */
const blockOf = ({ isBlocked, blockedAt, blockedMs }: WorkerHealthDocument['eventLoop']): string | null =>
  isBlocked || blockedMs === null || blockedAt === undefined
    ? null
    : `blocked for ${formatMs(blockedMs)} in ${toPlain(blockedAt)}`;

const failingRows = ({ checks }: WorkerHealthDocument, context: CliContext): string[][] =>
  checks
    .filter(({ status }) => status === 'fail')
    .map((check) => [`    ${toPlainName(check.name)}`, context.paint('red', 'fails'), '', '', '', describe(check)]);

/** Good, and to be looked at. */
const warnedRows = ({ checks }: WorkerHealthDocument, context: CliContext): string[][] =>
  checks.flatMap(({ name, status, warning }) =>
    status === 'fail' || warning === undefined
      ? []
      : [[`    ${toPlainName(name)}`, context.paint('yellow', 'warns'), '', '', '', firstLine(warning)]],
  );

const describe = ({ critical, error }: CheckDocument): string =>
  [critical ? 'critical' : null, error === undefined ? null : firstLine(error)]
    .filter((part) => part !== null)
    .join(': ');
