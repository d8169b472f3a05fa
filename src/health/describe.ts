/** What is known of the health of apps, as the document that people and programs read. */
import { blockedForMs, budgetVerdicts, checkVerdicts, type WorkerHealth } from '../core/index.ts';
import type {
  AppHealthDocument,
  CheckDocument,
  Clock,
  HealthDocument,
  HealthStatus,
  ProbeKind,
  WorkerHealthDocument,
} from '../protocol/index.ts';
import { shardViews, type Tenant } from '../supervisor/index.ts';
import type { AppWatch } from './app-watch.ts';
import type { WorkerWatch } from './worker-watch.ts';

type OfHost = (apps: readonly AppHealthDocument[]) => { readonly status: HealthStatus };

export const describeHealth = (watches: readonly AppWatch[], clock: Clock, ofHost: OfHost): HealthDocument => {
  const apps = watches.map((watch) => describeApp(watch, clock));
  return { status: ofHost(apps).status, apps };
};

const describeApp = (watch: AppWatch, clock: Clock): AppHealthDocument => {
  const { app } = watch;
  const at = clock.monotonicMs();
  // As it is now, not as it was at the last look.
  watch.look(at);
  const health = watch.health;
  const views = shardViews(app);
  return {
    name: app.app,
    status: health?.status ?? 'healthy',
    reason: health?.reason ?? null,
    level: watch.degradeLevel.level,
    workers: app.holders.map((tenant, index) => {
      const ejection = watch.ejectionOf(tenant.slot);
      return {
        ...describeWorker(tenant, watch.find(tenant.handle), health?.workers[index] ?? null, at, watch),
        ejectedUntil:
          ejection === null ? null : new Date(clock.wallMs() + Math.max(0, ejection.untilAt - at)).toISOString(),
        weight: views.get(tenant.slot)?.weight ?? 0,
      };
    }),
  };
};

const describeWorker = (
  tenant: Tenant,
  watch: WorkerWatch | null,
  health: WorkerHealth | null,
  at: number,
  { app }: AppWatch,
): Omit<WorkerHealthDocument, 'ejectedUntil' | 'weight'> => {
  const runtime = watch?.lastReport?.report.runtime ?? null;
  const blockedMs = watch === null ? null : blockedForMs(watch.loop, at);
  const block = watch?.block ?? null;
  return {
    id: tenant.id,
    status: health?.status ?? 'critical',
    reason: health?.reason ?? tenant.explanation(),
    isLooping: tenant.isLooping,
    isRunning: watch?.handle.pid !== undefined && watch.handle.pid !== null && tenant.state.phase === 'running',
    checks: watch === null ? [] : checksOf(watch, at, app.state.config.budgets),
    eventLoop: {
      delayMs: runtime?.delayMs.p99 ?? null,
      utilization: runtime?.eventLoopUtilization ?? null,
      blockedMs: blockedMs ?? watch?.lastBlockMs ?? null,
      ...(block === null || block.place === null
        ? {}
        : { blockedAt: `${block.place.function} ${block.place.file}:${block.place.line}`.trim() }),
      isBlocked: blockedMs !== null,
    },
  };
};

const warningOf = (watch: WorkerWatch, kind: ProbeKind): Pick<CheckDocument, 'warning'> => {
  const warning = watch.probes?.last(kind)?.warning ?? null;
  return warning === null ? {} : { warning };
};

const checksOf = (
  watch: WorkerWatch,
  at: number,
  budgets: Parameters<typeof budgetVerdicts>[2],
): readonly CheckDocument[] => [
  ...watch.probeFacts().map(({ kind, status, error }) => ({
    name: kind,
    status,
    critical: kind !== 'readiness',
    durationMs: Math.round(watch.probes?.last(kind)?.durationMs ?? 0),
    ...(error === null || status !== 'fail' ? {} : { error }),
    ...warningOf(watch, kind),
  })),
  ...checkVerdicts(watch.checks, at).map(({ name, status, critical, durationMs, error }) => ({
    name,
    status,
    critical,
    durationMs,
    ...(error === null ? {} : { error }),
  })),
  ...budgetVerdicts(watch.budgets, at, budgets).map(({ budget, value, max, critical, isExceeded }) => ({
    name: budget,
    status: value === null ? ('unknown' as const) : isExceeded ? ('fail' as const) : ('pass' as const),
    critical,
    durationMs: 0,
    ...(isExceeded ? { error: `${value === null ? 'unknown' : Math.round(value * 10) / 10}, budget ${max}` } : {}),
  })),
];
