/** What of the health of apps somebody should be told: the judgements that alerts live on, beside those of objectives. */
import { ALERT_POLICY, type AlertPolicy, type Judgement } from '../core/index.ts';
import type { AppHealthDocument } from '../protocol/index.ts';

/** A replacement that takes a few seconds is nobody's page. */
const CRITICAL: AlertPolicy = { ...ALERT_POLICY, forMs: 15_000 };
const DEGRADED: AlertPolicy = { ...ALERT_POLICY, forMs: 60_000 };

export const judgeHealthAlerts = (apps: readonly AppHealthDocument[]): readonly Judgement[] =>
  apps.flatMap(({ name, status, reason, workers }) => {
    const evidence = [
      {
        name: 'workers that are critical',
        value: workers.filter((worker) => worker.status === 'critical').length,
        threshold: null,
        unit: 'count' as const,
      },
    ];
    const description = reason ?? 'It is well.';
    return [
      {
        subject: { name: 'app-critical', severity: 'page', app: name, labels: {} },
        policy: CRITICAL,
        verdict: status === 'critical' ? 'bad' : 'good',
        detail: { summary: `${name} is critical`, description, evidence },
      },
      {
        subject: { name: 'app-degraded', severity: 'notice', app: name, labels: {} },
        policy: DEGRADED,
        verdict: status === 'healthy' ? 'good' : 'bad',
        detail: { summary: `${name} is degraded`, description, evidence },
      },
    ] satisfies readonly Judgement[];
  });
