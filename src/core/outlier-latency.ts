/**
 * Whether a worker is slower than its peers, which Envoy does not look at. Each request is measured against what is usual on
 * its route (over all routes together where workers report none), requests that have not ended yet included; then
 * the quartiles of these are compared. Refuses to call slow what has no core, has just started, or does more than its share.
 */
import { countOf, lowerMedian, quantileOf, weighLatency } from './latency.ts';
import type { Weighed } from './latency.ts';
import { hasRoutes, total } from './outlier-evidence.ts';
import type { Evidence, EvidencePolicy, Interval, Verdict } from './outlier-evidence.ts';

/** A request: how many times as long as usual on its route, and by how much. */
interface Lasted extends Weighed {
  readonly excessMs: number;
}

const isUsable = ({ isStarved }: Interval): boolean => !isStarved;

const weighAll = ({ intervals }: Evidence): Weighed[] => intervals.flatMap(({ latency }) => weighLatency(latency));

/** The name of all routes together. */
const EVERYTHING = '';

const latencyByRoute = (evidence: Evidence, isByRoute: boolean): Map<string, Weighed[]> => {
  const byRoute = new Map<string, Weighed[]>();
  for (const interval of evidence.intervals) {
    const parts = isByRoute ? interval.routes : [{ route: EVERYTHING, latency: interval.latency }];
    for (const { route, latency } of parts) {
      const sample = byRoute.get(route);
      if (sample === undefined) byRoute.set(route, weighLatency(latency));
      else sample.push(...weighLatency(latency));
    }
  }
  return byRoute;
};

/**
 * Requests that have not ended yet, and how old they are at least: of those that were open at the end of an interval no more
 * can have ended since than ended in all. As many as were open when the window began are left out: streams and long
 * polls are open for ever without being slow.
 */
const openAges = ({ intervals }: Evidence): readonly Weighed[] => {
  const first = intervals[0];
  const last = intervals.at(-1);
  if (first === undefined || last === undefined) return [];
  const olderThan: Weighed[] = [];
  let ended = last.ended;
  for (const interval of intervals.slice(0, -1).reverse()) {
    olderThan.push({
      value: last.at - interval.at,
      count: Math.max(0, interval.open - ended - first.openBefore),
    });
    ended += interval.ended;
  }
  // Whatever is older than a time is also older than a shorter one: each is counted once, with its greatest age.
  const ages: Weighed[] = [];
  let counted = 0;
  for (const { value, count } of olderThan.reverse()) {
    if (count <= counted) continue;
    ages.push({ value, count: count - counted });
    counted = count;
  }
  return ages;
};

/** Those of them that are old enough to tell: a younger one may yet end in time. */
const overdue = (evidence: Evidence, afterMs: number): readonly Weighed[] =>
  openAges(evidence).filter(({ value }) => value >= afterMs);

/**
 * The newest intervals that hold enough requests, so that what a worker was before it became slow does not excuse it. Two of
 * them at least where they are few, or most has not ended: what is open grows old between them.
 */
const recent = (evidence: Evidence, overdueMs: number, policy: EvidencePolicy): Evidence => {
  const intervals = evidence.intervals.filter(isUsable);
  const last = intervals.at(-1);
  if (last !== undefined && last.ended >= Math.max(policy.latencyAlone, last.open)) {
    return { ...evidence, intervals: [last] };
  }
  for (let from = intervals.length - 2; from > 0; from--) {
    const some = { ...evidence, intervals: intervals.slice(from) };
    if (total(some, ({ ended }) => ended) + countOf(overdue(some, overdueMs)) >= policy.latencyEnough) return some;
  }
  return { ...evidence, intervals };
};

/** How long the requests of each worker lasted, against what is usual on their routes over all the workers. */
const compareLasting = (all: readonly Evidence[], policy: EvidencePolicy): readonly (readonly Lasted[])[] => {
  // Which route an open request is on nobody says: where routes are told apart it is measured against a slow one.
  const slowMs = lowerMedian(all.flatMap((evidence) => quantileOf(weighAll(evidence), 0.9) ?? []));
  const overdueMs = policy.slowFactor * (slowMs ?? Number.POSITIVE_INFINITY);
  const evidences = all.map((evidence) => recent(evidence, overdueMs, policy));
  const isByRoute = evidences.every((evidence) => total(evidence, ({ ended }) => ended) === 0 || hasRoutes(evidence));
  const byRoutes = evidences.map((evidence) => latencyByRoute(evidence, isByRoute));
  const usualMs = usualByRoute(byRoutes, isByRoute);
  return evidences.map((evidence, index) => {
    const lasted: Lasted[] = [];
    for (const [route, sample] of byRoutes[index]!) {
      const usual = usualMs.get(route);
      if (usual === undefined) continue;
      for (const { value, count } of sample) lasted.push({ value: value / usual, count, excessMs: value - usual });
    }
    const usual = usualMs.get(EVERYTHING) ?? slowMs ?? Number.POSITIVE_INFINITY;
    for (const { value, count } of overdue(evidence, overdueMs)) {
      lasted.push({ value: value / usual, count, excessMs: value - usual });
    }
    return lasted;
  });
};

const usualByRoute = (
  byRoutes: readonly ReadonlyMap<string, readonly Weighed[]>[],
  isByRoute: boolean,
): ReadonlyMap<string, number> => {
  const usualMs = new Map<string, number>();
  for (const route of new Set(byRoutes.flatMap((byRoute) => [...byRoute.keys()]))) {
    const medians = byRoutes
      .map((byRoute) => byRoute.get(route) ?? [])
      .filter((sample) => countOf(sample) >= 3)
      .map((sample) => quantileOf(sample, 0.5)!);
    // A worker that answers nothing at all leaves its peers to tell what is usual; a route of one worker alone tells nothing.
    if (medians.length >= 2 || (!isByRoute && medians.length === 1)) usualMs.set(route, lowerMedian(medians)!);
  }
  return usualMs;
};

/** Mann–Whitney's U, as deviations from what would be expected if both were alike; ties count half. */
export const rankDeviations = (own: readonly Weighed[], peers: readonly Weighed[]): number => {
  const n = countOf(own);
  const m = countOf(peers);
  const mine = [...own].sort((a, b) => a.value - b.value);
  const theirs = [...peers].sort((a, b) => a.value - b.value);
  let u = 0;
  let below = 0;
  let next = 0;
  for (const { value, count } of mine) {
    while (next < theirs.length && theirs[next]!.value < value) below += theirs[next++]!.count;
    let equal = 0;
    for (let at = next; at < theirs.length && theirs[at]!.value === value; at++) equal += theirs[at]!.count;
    u += count * (below + equal / 2);
  }
  return (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
};

const QUANTILES = [0.1, 0.3, 0.5, 0.7, 0.9] as const;

const isBusy = (own: Evidence, peers: readonly Evidence[], policy: EvidencePolicy): boolean => {
  const utilization = lowerMedian(own.intervals.flatMap((interval) => interval.utilization ?? []));
  const ofPeers = lowerMedian(peers.map((peer) => total(peer, ({ ended }) => ended)));
  if (utilization === null || ofPeers === null) return false;
  return utilization >= policy.busyUtilization && total(own, ({ ended }) => ended) > ofPeers * policy.busyFactor;
};

const isYoung = (own: Evidence, peers: readonly Evidence[], policy: EvidencePolicy): boolean => {
  if (own.readyForMs >= policy.warmUpMs) return false;
  const usual = lowerMedian(peers.map(({ readyForMs }) => readyForMs)) ?? 0;
  return usual > own.readyForMs * 1.5 + 1000;
};

/** Its newest interval can be judged, and there is something in it to judge. */
const hasNews = ({ intervals }: Evidence): boolean => {
  const last = intervals.at(-1);
  return last !== undefined && isUsable(last) && (last.latency.length > 0 || last.open > 0);
};

/**
 * Which workers are slower than their peers, in the order given; null: not this one. Slow is: `slowFactor` times as slow in
 * four of five quantiles, by `slowByMs` in the middle, and too surely for chance. Nearly all quantiles, because a worker
 * that happens to get more of the slow requests (one route of two, misses instead of hits) differs in some of them; one
 * that is slow is slow throughout. One may not show it: where half of all requests are slow ones the middle tells nothing.
 */
export const findSlow = (evidences: readonly Evidence[], policy: EvidencePolicy): readonly (Verdict | null)[] => {
  const lasting = compareLasting(evidences, policy);
  return evidences.map((own, index) => {
    const isPeer = (_: unknown, at: number): boolean => at !== index;
    const peers = evidences.filter(isPeer);
    if (!hasNews(own) || isYoung(own, peers, policy) || isBusy(own, peers, policy)) return null;
    return compareWith(lasting[index]!, lasting.filter(isPeer), policy);
  });
};

const compareWith = (
  mine: readonly Lasted[],
  peers: readonly (readonly Lasted[])[],
  policy: EvidencePolicy,
): Verdict | null => {
  const compared = peers.filter((sample) => countOf(sample) >= policy.latencyVolume);
  if (countOf(mine) < policy.latencyVolume || compared.length === 0) return null;
  const usualAt = (q: number): number => lowerMedian(compared.map((sample) => quantileOf(sample, q)!))!;
  const slower = QUANTILES.filter((q) => quantileOf(mine, q)! >= policy.slowFactor * usualAt(q));
  if (slower.length < QUANTILES.length - 1) return null;
  const excesses = mine.map(({ excessMs, count }) => ({ value: excessMs, count }));
  const excessMs = quantileOf(excesses, 0.5)!;
  if (excessMs < policy.slowByMs) return null;
  // A peer that is slow itself does not tell what is usual.
  const usual = usualAt(0.5);
  const alike = compared.filter((sample) => quantileOf(sample, 0.5)! <= usual);
  if (rankDeviations(mine, alike.flat()) < policy.significance) return null;
  const times = quantileOf(mine, 0.5)! / usual;
  const longer = `${Math.round(excessMs)} ms longer in the middle`;
  return {
    kind: 'latency',
    reason: `its requests take ${times.toFixed(times < 10 ? 1 : 0)} times as long as those of its peers (${longer})`,
  };
};
