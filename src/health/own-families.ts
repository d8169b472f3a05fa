/** Objectives and alerts as metrics, for those who watch them elsewhere. */
import type { Family } from '../metrics/index.ts';
import type { AlertsDocument, SloDocument } from '../protocol/index.ts';

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
    {
      name: 'drover_slo_objective_ratio',
      type: 'gauge',
      help: 'Share of events that must be good, 0 to 1.',
      points: objectives.map(({ labels, objective }) => ({ labels, value: objective.objective / 100 })),
    },
    {
      name: 'drover_slo_budget_remaining_ratio',
      type: 'gauge',
      help: 'Share of the error budget that is left; below 0 it is overspent.',
      points: objectives.map(({ labels, objective }) => ({ labels, value: objective.budget.remaining })),
    },
    {
      name: 'drover_slo_burn_rate',
      type: 'gauge',
      help: 'How many times faster than it may the error budget goes; left out where too little happens to tell.',
      points: objectives.flatMap(({ labels, objective: { budget } }) =>
        budget.burn === null ? [] : [{ labels, value: budget.burn }],
      ),
    },
    {
      name: 'drover_alerts_firing',
      type: 'gauge',
      help: 'Alerts that fire.',
      points: [...firing].map(([key, list]) => {
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
    },
    {
      name: 'drover_alerts_undelivered',
      type: 'gauge',
      help: 'Messages about alerts that no receiver took.',
      points: [{ labels: [], value: undelivered.length }],
    },
  ];
};
