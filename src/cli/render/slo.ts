/** Objectives as a table: what is attained, what is left of the budget, how fast it goes. */
import type { SloDocument } from '../../protocol/index.ts';
import type { CliContext } from '../context.ts';
import { renderTable } from './table.ts';
import { formatNumber } from './values.ts';

const HEAD = ['app', 'objective', 'target', 'attained', 'budget left', 'burn', 'runs out in', 'events', 'window'];

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `2.5d`, `40m`. */
export const formatSpan = (ms: number | null): string => {
  if (ms === null) return '–';
  const [unit, size] = UNITS.find(([, one]) => ms >= one) ?? ['s', 1000];
  const value = ms / size;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))}${unit}`;
};

export const renderSlo = ({ apps }: SloDocument, { paint }: CliContext): string => {
  const rows = apps.flatMap(({ name, objectives }) =>
    objectives.map(({ name: objective, objective: target, attained, budget, alerts, events, windowMs }) => {
      const burning = alerts.find(({ verdict }) => verdict === 'burning');
      const left = `${formatNumber(budget.remaining * 100, 1)}%`;
      return [
        paint('bold', name),
        objective,
        `${target}%`,
        attained === null ? '–' : `${formatNumber(attained, 3)}%`,
        paint(budget.remaining <= 0 ? 'red' : budget.remaining < 0.25 ? 'yellow' : 'green', left),
        budget.burn === null ? '–' : paint(burning === undefined ? 'dim' : 'red', `${formatNumber(budget.burn, 1)}×`),
        budget.exhaustedInMs === 0 ? paint('red', 'spent') : formatSpan(budget.exhaustedInMs),
        formatNumber(events),
        `${formatSpan(windowMs)}${budget.observedShare < 0.99 ? ` (${formatNumber(budget.observedShare * 100, 1)}% seen)` : ''}`,
      ];
    }),
  );
  return rows.length === 0
    ? 'No objectives. Write some into the configuration: slo: [{ name, objective: 99.9 }].'
    : renderTable(HEAD, rows);
};
