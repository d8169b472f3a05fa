/** What of the health of apps somebody should be told: the judgements that alerts live on, beside those of objectives. */
import { ALERT_POLICY, type AlertPolicy, type Judgement } from '../core/index.ts';
import type { AppHealthDocument } from '../protocol/index.ts';

/** A replacement that takes a few seconds is nobody's page. */
const CRITICAL: AlertPolicy = { ...ALERT_POLICY, forMs: 15_000 };
const DEGRADED: AlertPolicy = { ...ALERT_POLICY, forMs: 60_000 };

type Verdict = Judgement['verdict'];

export const judgeHealthAlerts = (apps: readonly AppHealthDocument[]): readonly Judgement[] =>
  apps.flatMap((app) => {
    const { name, reason, workers } = app;
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
        verdict: judgeCritical(app),
        detail: { summary: `${name} is critical`, description, evidence },
      },
      {
        subject: { name: 'app-degraded', severity: 'notice', app: name, labels: {} },
        policy: DEGRADED,
        verdict: judgeDegraded(app),
        detail: { summary: `${name} is degraded`, description, evidence },
      },
    ] satisfies readonly Judgement[];
  });

/**
 * As long as nobody has started it is not over: a daemon that is new knows nothing yet of a crash loop. Nor is it while a worker of one
 * serves for a moment: it has to hold out first.
 */
const judgeCritical = ({ status, workers }: AppHealthDocument): Verdict => {
  if (status === 'critical') return 'bad';
  if (isOnlyBack(workers)) return 'unknown';
  return status === 'degraded' && !workers.some(({ isRunning }) => isRunning) ? 'unknown' : 'good';
};

/** What is critical is told as that: it neither begins the lesser alert nor ends it. */
const judgeDegraded = ({ status, workers }: AppHealthDocument): Verdict =>
  status === 'healthy' ? 'good' : status === 'degraded' && !isOnlyBack(workers) ? 'bad' : 'unknown';

/** Whoever serves has come back in a crash loop, which is not over yet. */
const isOnlyBack = (workers: AppHealthDocument['workers']): boolean => {
  const running = workers.filter(({ isRunning }) => isRunning);
  return running.length > 0 && running.every(({ isLooping }) => isLooping);
};
