/**
 * Measures of each app, a value a minute: what is unusual for the hour is told. What is unusual is decided in
 * `core/anomaly.ts`; without some hours of history it says nothing.
 */
import {
  ALERT_POLICY,
  ANOMALY_POLICIES,
  newAnomaly,
  stepAnomaly,
  type AlertPolicy,
  type AnomalyMeasure,
  type AnomalyState,
  type AnomalyStep,
  type Judgement,
} from '../core/index.ts';
import type { AlertEvidence, Clock } from '../protocol/index.ts';
import { countOf, mergeHistograms, percentile, subtractHistogram, type SparseHistogram } from '../runtime/index.ts';
import type { App, Schedule, WorkerHandle } from '../supervisor/index.ts';

export interface AnomaliesOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly apps: () => readonly App[];
  readonly judge: (judgements: readonly Judgement[]) => void;
  /** Small texts that outlive the daemon. */
  readonly memory: { find(key: string): string | undefined; put(key: string, value: string): void };
}

export interface Anomalies {
  close(): void;
}

const EVERY_MS = 60_000;
const SAVE_EVERY_LOOKS = 10;
const POLICY: AlertPolicy = { ...ALERT_POLICY, forMs: 0 };
const MEASURES = Object.keys(ANOMALY_POLICIES) as AnomalyMeasure[];

const WORDS: Readonly<Record<AnomalyMeasure, { readonly name: string; readonly unit: AlertEvidence['unit'] }>> = {
  latencyP95: { name: '95th percentile of latency', unit: 'ms' },
  errorShare: { name: 'share of requests that fail', unit: 'share' },
  requestRate: { name: 'requests a second', unit: 'per-second' },
  memory: { name: 'memory of its workers', unit: 'bytes' },
};

interface Seen {
  readonly served: number;
  readonly failed: number;
  readonly latency: SparseHistogram;
}

export const anomalyKey = (app: string): string => `anomalies:${app}`;

export const openAnomalies = ({ clock, schedule, apps, judge, memory }: AnomaliesOptions): Anomalies => {
  const states = new Map<string, Record<AnomalyMeasure, AnomalyState>>();
  const seen = new WeakMap<WorkerHandle, Seen>();
  let looks = 0;
  let callOff = schedule.background(EVERY_MS, () => look());

  const statesOf = (app: App): Record<AnomalyMeasure, AnomalyState> => {
    const known = states.get(app.app);
    if (known !== undefined) return known;
    const fresh = readStates(memory.find(anomalyKey(app.app)));
    states.set(app.app, fresh);
    return fresh;
  };

  /** What happened since the last look, over all workers. */
  const measure = (app: App): Readonly<Record<AnomalyMeasure, { readonly value: number; readonly count: number }>> => {
    let served = 0;
    let failed = 0;
    let bytes = 0;
    const latencies: SparseHistogram[] = [];
    for (const handle of app.liveHandles()) {
      const report = handle.lastReport;
      if (report === null) continue;
      bytes += report.runtime.rssBytes;
      const before = seen.get(handle);
      const { counters } = report;
      seen.set(handle, { served: counters.served, failed: counters.failed, latency: counters.latency });
      if (before === undefined) continue;
      served += Math.max(0, counters.served - before.served);
      failed += Math.max(0, counters.failed - before.failed);
      latencies.push(subtractHistogram(counters.latency, before.latency));
    }
    const latency = mergeHistograms(latencies);
    const total = served + failed;
    return {
      latencyP95: { value: percentile(latency, 0.95) ?? Number.NaN, count: countOf(latency) },
      errorShare: { value: total === 0 ? Number.NaN : failed / total, count: total },
      requestRate: { value: total / (EVERY_MS / 1000), count: total },
      memory: { value: bytes === 0 ? Number.NaN : bytes, count: 1 },
    };
  };

  const look = (): void => {
    callOff = schedule.background(EVERY_MS, () => look());
    looks += 1;
    const at = clock.wallMs();
    const judgements: Judgement[] = [];
    const present = apps();
    for (const app of present) {
      const own = statesOf(app);
      const values = measure(app);
      for (const name of MEASURES) {
        const step = stepAnomaly(own[name], { at, ...values[name] }, ANOMALY_POLICIES[name]);
        own[name] = step.state;
        judgements.push(judgementOf(app.app, name, values[name].value, step));
      }
      if (looks % SAVE_EVERY_LOOKS === 0) memory.put(anomalyKey(app.app), JSON.stringify(own));
    }
    for (const name of states.keys()) if (!present.some(({ app }) => app === name)) states.delete(name);
    if (judgements.length > 0) judge(judgements);
  };
  return { close: () => callOff() };
};

const judgementOf = (
  app: string,
  measure: AnomalyMeasure,
  value: number,
  { verdict, baseline, z }: AnomalyStep,
): Judgement => {
  const { name, unit } = WORDS[measure];
  const usual = baseline?.usual ?? null;
  return {
    subject: { name: 'anomaly', severity: 'notice', app, labels: { measure } },
    policy: POLICY,
    verdict,
    detail: {
      summary: `${app}: ${name} ${z !== null && z < 0 ? 'is lower' : 'is higher'} than is usual at this hour`,
      description: baseline === null ? 'Too little is known yet.' : `Compared with the ${baseline.from}.`,
      evidence: [
        { name, value: Number.isFinite(value) ? value : null, threshold: usual, unit },
        { name: 'robust z-score', value: z, threshold: ANOMALY_POLICIES[measure].enterZ, unit: 'z' },
      ],
    },
  };
};

const newStates = (): Record<AnomalyMeasure, AnomalyState> => ({
  latencyP95: newAnomaly(),
  errorShare: newAnomaly(),
  requestRate: newAnomaly(),
  memory: newAnomaly(),
});

const readStates = (text: string | undefined): Record<AnomalyMeasure, AnomalyState> => {
  if (text === undefined) return newStates();
  try {
    return { ...newStates(), ...(JSON.parse(text) as Partial<Record<AnomalyMeasure, AnomalyState>>) };
  } catch {
    return newStates();
  }
};
