/** Receipts and plans in words. */
import type { ChangeDocument, OperationDocument, ReceiptDocument } from '../../protocol/index.ts';
import type { CliContext } from '../context.ts';
import { firstLine, paintStatus } from './apps.ts';
import { formatMs, formatTime } from './values.ts';

/** What a change cost, in a few lines; its steps and the replacement's last words where it went wrong. */
export const renderReceipt = (kind: string, receipt: ReceiptDocument, context: CliContext): string => {
  const { requests, latencyMs } = receipt;
  const reason = receipt.reason === null ? '' : `: ${receipt.reason}`;
  const lines = [
    `${kind} ${context.paint('bold', receipt.app)} ${paintStatus(receipt.outcome, context)} in ${formatMs(receipt.durationMs)}${reason}`,
  ];
  const total = requests.served + requests.failed + requests.lost + requests.unknown;
  if (total > 0) {
    const extra = [
      requests.refused > 0 ? `${requests.refused} refused as retryable` : '',
      requests.upgradesClosed > 0 ? `${requests.upgradesClosed} sockets closed politely` : '',
      requests.upgradesCut > 0 ? `${requests.upgradesCut} sockets cut` : '',
    ].filter((part) => part !== '');
    lines.push(
      `  requests  ${requests.served} served, ${requests.failed} failed, ${requests.lost} lost, ${requests.unknown} unknown${extra.map((part) => `, ${part}`).join('')}`,
      `  p99       ${formatMs(latencyMs.before.p99)} before, ${formatMs(latencyMs.during.p99)} during, ${formatMs(latencyMs.after.p99)} after`,
    );
  }
  if (receipt.outcome === 'completed') return lines.join('\n');
  lines.push(
    ...receipt.steps.map(
      (step) =>
        `  ${formatTime(step.at)}  ${step.worker ?? ''} ${step.name}: ${step.outcome}${step.detail === null ? '' : ` (${firstLine(step.detail)})`}`,
    ),
  );
  if (receipt.log !== undefined && receipt.log.length > 0)
    lines.push('  its last output:', ...receipt.log.map((line) => `    ${line}`));
  return lines.join('\n');
};

const ACTIONS: Readonly<Record<ChangeDocument['action'], string>> = {
  start: 'start',
  reload: 'replace workers, without a gap',
  restart: 'restart: stop, then start',
  stop: 'stop and forget',
  none: 'unchanged',
};

/** One line for each app of a plan. */
export const renderPlan = (changes: readonly ChangeDocument[], context: CliContext): string =>
  changes
    .map(({ app, action, keys, replaces }) => {
      const isGentle = action === 'reload' && !replaces;
      const words = isGentle ? 'adjust, running workers stay' : ACTIONS[action];
      return `  ${context.paint('bold', app)}  ${words}${keys.length === 0 ? '' : ` (${keys.join(', ')})`}`;
    })
    .join('\n');

/** `01J…  reload  shop  booting`. */
export const renderOperation = (operation: OperationDocument): string[] => [
  operation.id,
  operation.kind,
  operation.app,
  operation.receipt?.outcome ?? operation.phase,
  formatTime(operation.startedAt),
  operation.receipt === null ? '' : formatMs(operation.receipt.durationMs),
];
