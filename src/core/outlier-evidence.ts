/**
 * What the traffic of a worker was in the last seconds, from the counters that it reports. Refuses to judge it: that is done
 * beside its peers (`outlier-errors.ts`, `outlier-latency.ts`).
 */
import type { RequestCounters, RouteCounters } from '../protocol/index.ts';
import { latencySince } from './latency.ts';

/** One worker at one sweep: its last report as it came, and what the daemon knows of it. */
export interface OutlierSample {
  readonly slot: number;
  readonly generation: number;
  /** Ready, wanted, and not draining: it would take new connections if nothing were held against it. */
  readonly isServing: boolean;
  readonly readyForMs: number;
  /** It waited for a core through most of the time since the last sweep: what it did then says nothing about it. */
  readonly isStarved: boolean;
  /** Event-loop utilisation, 0–1; null where there is no agent. */
  readonly utilization: number | null;
  /** When the report came, on the clock of `at`; null without one. */
  readonly reportedAt: number | null;
  /** Since the worker started, as reported; differences are taken here. */
  readonly counters: RequestCounters | null;
  /** It tells its routes when it is asked, which is done for suspects and their peers. */
  readonly tellsRoutes: boolean;
  /** Since the worker started, at two moments since the last sweep or a little before; null: it was not asked. */
  readonly routes: { readonly before: readonly RouteCounters[]; readonly now: readonly RouteCounters[] } | null;
}

export interface EvidencePolicy {
  /** What is older does not count. Envoy's default interval. */
  readonly windowMs: number;
  /** Of Envoy's success-rate rule: workers with enough requests, requests of each, and how many deviations from the mean. */
  readonly minimumHosts: number;
  readonly requestVolume: number;
  readonly stdevFactor: number;
  /** Envoy has no such bound, and ejects for one error where all others had none. */
  readonly minimumFailureExcess: number;
  /** Of the comparison for few workers: requests, difference of the failing shares, and how sure. */
  readonly pairVolume: number;
  readonly pairFailureExcess: number;
  readonly significance: number;
  /**
   * Of latency: requests at least, and at most as far as newer ones are enough, of several intervals or of the last alone;
   * how many times slower, and by how much.
   */
  readonly latencyVolume: number;
  readonly latencyEnough: number;
  readonly latencyAlone: number;
  readonly slowFactor: number;
  readonly slowByMs: number;
  /** Sweeps with new evidence in a row in which it was slow. */
  readonly slowSweeps: number;
  /** A worker is only slow beside peers that are ready about as long: the first seconds of a program are slow. */
  readonly warmUpMs: number;
  /** Beyond this utilisation, and that many times the requests of its peers, it is busy, not slow. */
  readonly busyUtilization: number;
  readonly busyFactor: number;
  /** Routes of one worker that are told apart. */
  readonly routes: number;
}

export const EVIDENCE_POLICY: EvidencePolicy = {
  windowMs: 10_000,
  minimumHosts: 5,
  requestVolume: 100,
  stdevFactor: 1.9,
  minimumFailureExcess: 0.05,
  pairVolume: 20,
  pairFailureExcess: 0.2,
  significance: 4,
  latencyVolume: 6,
  latencyEnough: 12,
  latencyAlone: 30,
  slowFactor: 3,
  slowByMs: 15,
  slowSweeps: 2,
  warmUpMs: 10_000,
  busyUtilization: 0.9,
  busyFactor: 1.5,
  routes: 200,
};

interface RouteInterval {
  readonly route: string;
  readonly served: number;
  readonly failed: number;
  readonly latency: readonly number[];
}

/** What happened between two reports of one worker. */
export interface Interval {
  readonly fromAt: number;
  readonly at: number;
  readonly served: number;
  readonly failed: number;
  /** Ended in any way. */
  readonly ended: number;
  /** Begun and not ended when the interval began, and when it ended. */
  readonly openBefore: number;
  readonly open: number;
  readonly latency: readonly number[];
  readonly routes: readonly RouteInterval[];
  /** Its routes were asked for, in a part of it at least. */
  readonly isRouted: boolean;
  readonly isStarved: boolean;
  readonly utilization: number | null;
}

/** What is known of one worker; plain data. */
export interface Evidence {
  readonly generation: number;
  readonly reportedAt: number | null;
  readonly counters: RequestCounters | null;
  readonly tellsRoutes: boolean;
  readonly intervals: readonly Interval[];
  /** Failed answers in a row, at least: reports count, they do not tell the order. */
  readonly errorsInRow: number;
  /** Sweeps in a row, with new evidence, in which it was slower than its peers. */
  readonly slowSweeps: number;
  readonly readyForMs: number;
}

export type VerdictKind = 'errors-in-a-row' | 'success-rate' | 'failures' | 'latency';
export interface Verdict {
  readonly kind: VerdictKind;
  readonly reason: string;
}

const endedOf = (counters: RequestCounters): number =>
  counters.served + counters.failed + counters.lost + counters.aborted + counters.refused;
const openOf = (counters: RequestCounters): number => Math.max(0, counters.begun - endedOf(counters));
const gain = (later: number, earlier: number): number => Math.max(0, later - earlier);

const newEvidence = (sample: OutlierSample): Evidence => ({
  generation: sample.generation,
  reportedAt: sample.reportedAt,
  counters: sample.counters,
  tellsRoutes: sample.tellsRoutes,
  intervals: [],
  errorsInRow: 0,
  slowSweeps: 0,
  readyForMs: sample.readyForMs,
});

/** The same worker, and nothing held against it. */
export const forget = (evidence: Evidence): Evidence => ({
  ...evidence,
  intervals: [],
  errorsInRow: 0,
  slowSweeps: 0,
});

/**
 * At least so many failures came one after the other: all of them and those before, where nothing was served between;
 * else `failed` failures in the `served + 1` gaps between what was served.
 */
const rowOf = (before: number, served: number, failed: number): number => {
  if (served === 0) return before + failed;
  return Math.ceil(failed / (served + 1));
};

const routeName = ({ method, route }: RouteCounters): string => `${method} ${route}`;
const sumOf = (byClass: readonly number[], from: number, to: number): number =>
  byClass.slice(from, to).reduce((sum, count) => sum + count, 0);

const routesSince = (
  later: readonly RouteCounters[],
  earlier: readonly RouteCounters[],
  limit: number,
): RouteInterval[] => {
  const before = new Map(earlier.map((counters) => [routeName(counters), counters]));
  const changed: RouteInterval[] = [];
  for (const counters of later.slice(0, limit)) {
    const known = before.get(routeName(counters));
    const served = gain(sumOf(counters.byClass, 1, 5), sumOf(known?.byClass ?? [], 1, 5));
    const failed = gain(counters.byClass[5] ?? 0, known?.byClass[5] ?? 0);
    if (served + failed === 0) continue;
    const latency = latencySince(counters.latency, known?.latency ?? []);
    changed.push({ route: routeName(counters), served, failed, latency });
  }
  return changed;
};

/** Takes in one sample. A report that is not newer than the last one says nothing. */
export const gather = (
  before: Evidence | undefined,
  sample: OutlierSample,
  at: number,
  policy: EvidencePolicy,
): { readonly evidence: Evidence; readonly isNew: boolean } => {
  if (before === undefined || before.generation !== sample.generation) {
    return { evidence: newEvidence(sample), isNew: false };
  }
  const kept = before.intervals.filter((interval) => at - interval.at < policy.windowMs);
  const same = { ...before, intervals: kept, readyForMs: sample.readyForMs, tellsRoutes: sample.tellsRoutes };
  const { counters, reportedAt } = sample;
  if (counters === null || reportedAt === null || (before.reportedAt !== null && reportedAt <= before.reportedAt)) {
    return { evidence: same, isNew: false };
  }
  const next = { ...same, counters, reportedAt };
  if (before.counters === null || before.reportedAt === null) return { evidence: next, isNew: false };
  const served = gain(counters.served, before.counters.served);
  // What the worker left without an answer is a failure to its client; Envoy counts connection failures alike.
  const failed = gain(counters.failed, before.counters.failed) + gain(counters.lost, before.counters.lost);
  const interval: Interval = {
    fromAt: before.reportedAt,
    at: reportedAt,
    served,
    failed,
    ended: gain(endedOf(counters), endedOf(before.counters)),
    openBefore: openOf(before.counters),
    open: openOf(counters),
    latency: latencySince(counters.latency, before.counters.latency),
    routes: sample.routes === null ? [] : routesSince(sample.routes.now, sample.routes.before, policy.routes),
    isRouted: sample.routes !== null,
    isStarved: sample.isStarved,
    utilization: sample.utilization,
  };
  return {
    evidence: { ...next, intervals: [...kept, interval], errorsInRow: rowOf(before.errorsInRow, served, failed) },
    isNew: true,
  };
};

export const total = (evidence: Evidence, of: (interval: Interval) => number): number =>
  evidence.intervals.reduce((sum, interval) => sum + of(interval), 0);

export const servedOf = (evidence: Evidence): number => total(evidence, ({ served }) => served);
export const failedOf = (evidence: Evidence): number => total(evidence, ({ failed }) => failed);

/** Most of what it answered failed, whatever its peers do; for the question whether the cause is outside. */
export const isFailing = (evidence: Evidence): boolean => {
  const failed = failedOf(evidence);
  return failed >= 3 && failed >= servedOf(evidence);
};

/** It tells routes apart for a quarter of its requests at least: it is asked in a part of an interval. */
export const hasRoutes = (evidence: Evidence): boolean => {
  const byRoute = total(evidence, ({ routes }) => routes.reduce((sum, one) => sum + one.served + one.failed, 0));
  return byRoute * 4 >= servedOf(evidence) + failedOf(evidence) && byRoute > 0;
};

/** What is known of it route by route. */
export const routedPart = (evidence: Evidence): Evidence => ({
  ...evidence,
  intervals: evidence.intervals.filter(({ isRouted }) => isRouted),
});
