/** The campaign's result as a table and a few lines. */
import Table from 'cli-table3';
import type { CampaignResult } from './campaign.ts';
import { quantile } from '../../support/load/ledger.ts';

const LOST_SHOWN = 10;

export function renderResult(result: CampaignResult): string {
  const table = new Table({
    head: ['family', 'fault', 'times', 'answered', 'lost in flight on a killed process', 'lost', 'violations'],
    style: { head: [], border: [] },
  });
  for (const { family, fault, times, answered, excused, lost, violations } of result.rows)
    table.push([family, fault, times, answered, excused, lost, violations]);
  return [
    table.toString(),
    `${result.injected} faults in ${result.seconds} s (seed ${result.seed}), ${result.answered} requests answered`,
    `${result.excused} lost in flight on a process that was itself killed, ${result.lost.length} lost otherwise`,
    ...result.lost
      .slice(0, LOST_SHOWN)
      .map(
        ({ app, reason, atMs, sentMs, id, localPort, during, deaths }) =>
          `  ${app} at ${new Date(atMs).toISOString()}, sent ${(atMs - sentMs).toFixed(0)} ms before (${id}, port ${localPort}): ${reason}, during ${during.join(' and ') || 'nothing'}; ${deaths || 'nobody died near'}`,
      ),
    `daemon back with all workers: ${describeBack(result.backMs)}`,
    `named steps at which a daemon died: ${result.stepsHit.length}`,
    ...result.skipped.map((line) => `not done here: ${line}`),
    `${result.violations.length} violations`,
    ...result.violations.map((line) => `  ${line}`),
  ].join('\n');
}

export const p95 = (values: readonly number[]): number | null =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.95,
  );

const describeBack = (backMs: readonly number[]): string => {
  const all = backMs.toSorted((a, b) => a - b);
  const show = (value: number | null): string => (value === null ? '–' : `${value.toFixed(0)} ms`);
  return `${all.length} times, median ${show(quantile(all, 0.5))}, p95 ${show(quantile(all, 0.95))}, longest ${show(all.at(-1) ?? null)}`;
};
