/** Objectives and alerts as metrics, for those who watch them elsewhere. */
import { EXTRA_METRICS, type Family, type NumberPoint } from '../metrics/index.ts';
import { withoutDust } from './objectives.ts';
import type { AlertsDocument, SloDocument } from '../protocol/index.ts';

const gauge = (name: keyof typeof EXTRA_METRICS, points: readonly NumberPoint[]): Family => {
  const { type, help } = EXTRA_METRICS[name];
  return { name, type, help, points };
};

export const familiesOf = (slo: SloDocument, { alerts, undelivered }: AlertsDocument): readonly Family[] => {
  const objectives = slo.apps.flatMap(({ name: app, objectives: list }) =>
    list.map((objective) => ({
      labels: [
        ['app', app],
        ['objective', objective.name],
      ] as const,
      objective,
    })),
  );
  const firing = Map.groupBy(
    alerts.filter(({ status }) => status === 'firing'),
    ({ name, app, severity }) => JSON.stringify([name, app ?? '', severity]),
  );
  return [
    gauge(
      'drover_slo_objective_ratio',
      objectives.map(({ labels, objective }) => ({ labels, value: withoutDust(objective.objective / 100) })),
    ),
    gauge(
      'drover_slo_budget_remaining_ratio',
      objectives.map(({ labels, objective }) => ({ labels, value: objective.budget.remaining })),
    ),
    gauge(
      'drover_slo_burn_rate',
      objectives.flatMap(({ labels, objective: { budget } }) =>
        budget.burn === null ? [] : [{ labels, value: budget.burn }],
      ),
    ),
    gauge(
      'drover_alerts_firing',
      [...firing].map(([key, list]) => {
        const [name, app, severity] = JSON.parse(key) as [string, string, string];
        return {
          labels: [
            ['alert', name],
            // The daemon's own have none.
            ...(app === '' ? [] : [['app', app] as const]),
            ['severity', severity],
          ] as const,
          value: list.length,
        };
      }),
    ),
    gauge('drover_alerts_undelivered', [{ labels: [], value: undelivered.length }]),
  ];
};
