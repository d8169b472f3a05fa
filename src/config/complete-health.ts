/** Completes what an app, or the daemon, says about health: probes, budgets, objectives, who is told. */
import * as v from 'valibot';
import {
  BUDGET_NAMES,
  type AppConfig,
  type BudgetConfig,
  type BudgetName,
  type ObjectiveConfig,
  type ProbeConfig,
  type ProbeKind,
  type ProbeTarget,
  type ReceiverConfig,
  type WorkerShare,
} from '../protocol/index.ts';
import { AppSchema, type CompleteDaemonSettings, type CompleteSettings } from './schema.ts';

type ProbeSettings = NonNullable<CompleteSettings['probes']['startup']>;
type Objective = CompleteSettings['slo'][number];
type Receiver = CompleteDaemonSettings['alerts'][number];

const PROBE_KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

type HealthConfig = Pick<AppConfig, 'probes' | 'health' | 'heal' | 'budgets' | 'slo' | 'metrics' | 'trace'>;

export const completeHealth = ({
  probes,
  health,
  heal,
  budgets,
  slo,
  metrics,
  trace,
}: Pick<CompleteSettings, keyof HealthConfig>): HealthConfig => {
  const { outliers } = health;
  const limits: Partial<Record<BudgetName, BudgetConfig>> = {};
  for (const name of BUDGET_NAMES) if (budgets[name] !== undefined) limits[name] = budgets[name];
  const complete: Partial<Record<ProbeKind, ProbeConfig>> = {};
  for (const kind of PROBE_KINDS) if (probes[kind] !== undefined) complete[kind] = completeProbe(probes[kind]);
  return {
    probes: complete,
    health: {
      blockedAfterMs: health.blockedAfter,
      profile: health.profile,
      watchdog: health.watchdog,
      outliers: {
        enabled: outliers.enabled,
        consecutiveErrors: outliers.consecutiveErrors,
        intervalMs: outliers.interval,
        baseEjectionMs: outliers.baseEjection,
        maxEjectionMs: Math.max(outliers.baseEjection, outliers.maxEjection),
        maxEjected: toShare(outliers.maxEjected),
      },
    },
    heal: {
      enabled: heal.enabled,
      recoverTimeoutMs: heal.recoverTimeout,
      maxUnavailable: toShare(heal.maxUnavailable),
      perHour: heal.perHour,
      quarantineAfter: heal.quarantineAfter,
    },
    budgets: { limits, autoRestart: budgets.autoRestart, intervalMs: budgets.interval },
    slo: slo.map(completeObjective),
    metrics,
    trace,
  };
};

const toShare = (value: number | string): WorkerShare =>
  typeof value === 'number' ? { workers: value } : { share: Number.parseInt(value, 10) / 100 };

const completeProbe = (probe: ProbeSettings): ProbeConfig => ({
  target: toTarget(probe),
  initialDelayMs: probe.initialDelay,
  periodMs: probe.period,
  timeoutMs: probe.timeout,
  successThreshold: probe.successThreshold,
  failureThreshold: probe.failureThreshold,
});

/** The check has seen that exactly one is named. */
const toTarget = ({ http, tcp, exec, port, host, headers, scheme }: ProbeSettings): ProbeTarget => {
  if (http !== undefined) return { kind: 'http', path: http, port: port ?? null, host: host ?? null, headers, scheme };
  if (tcp !== undefined) return { kind: 'tcp', port: tcp === true ? null : tcp, host: host ?? null };
  if (exec !== undefined) return { kind: 'exec', argv: exec as [string, ...string[]] };
  return { kind: 'in-process' };
};

const completeObjective = ({
  name,
  objective,
  window,
  thresholdMs,
  ratio,
  minimumEvents,
}: Objective): ObjectiveConfig => ({
  name,
  target: objective / 100,
  windowMs: window,
  indicator:
    ratio !== undefined
      ? { kind: 'ratio', ...ratio }
      : thresholdMs !== undefined
        ? { kind: 'latency', thresholdMs }
        : { kind: 'availability' },
  minimumEvents,
});

export const completeReceiver = (receiver: Receiver): ReceiverConfig => {
  const { webhook, alertmanager, command, headers, severities, apps, groupWait, repeat } = receiver;
  const target: ReceiverConfig['target'] =
    webhook !== undefined
      ? { kind: 'webhook', url: webhook }
      : alertmanager !== undefined
        ? { kind: 'alertmanager', url: alertmanager.replace(/\/+$/, '') }
        : { kind: 'command', argv: command as [string, ...string[]] };
  return { target, headers, severities, apps: apps ?? null, groupWaitMs: groupWait, repeatMs: repeat };
};

/** What holds where nothing is said; also for configurations that an earlier Drover recorded. */
export const HEALTH_DEFAULTS: HealthConfig = completeHealth(v.parse(AppSchema, {}));
