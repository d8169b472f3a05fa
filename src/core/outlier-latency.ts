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

const usable = (evidence: Evidence): readonly Interval[] => evidence.intervals.filter(({ isStarved }) => !isStarved);

const weighAll = (evidence: Evidence): Weighed[] => usable(evidence).flatMap(({ latency }) => weighLatency(latency));

/** The name of all routes together. */
const EVERYTHING = '';

const latencyByRoute = (evidence: Evidence, isByRoute: boolean): Map<string, Weighed[]> => {
  const byRoute = new Map<string, Weighed[]>();
  for (const interval of usable(evidence)) {
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
  if (first === undefined || last === undefined || last.isStarved) return [];
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

/** How long the requests of each worker lasted, against what is usual on their routes over all the workers. */
const compareLasting = (evidences: readonly Evidence[]): readonly (readonly Lasted[])[] => {
  const isByRoute = evidences.every((evidence) => total(evidence, ({ ended }) => ended) === 0 || hasRoutes(evidence));
  const all = evidences.map((evidence) => latencyByRoute(evidence, isByRoute));
  const usualMs = new Map<string, number>();
  for (const route of new Set(all.flatMap((byRoute) => [...byRoute.keys()]))) {
    const medians = all
      .map((byRoute) => byRoute.get(route) ?? [])
      .filter((sample) => countOf(sample) >= 3)
      .map((sample) => quantileOf(sample, 0.5)!);
    // A worker that answers nothing at all leaves its peers to tell what is usual; a route of one worker alone tells nothing.
    if (medians.length >= 2 || (!isByRoute && medians.length === 1)) usualMs.set(route, lowerMedian(medians)!);
  }
  // Which route an open request is on nobody says: it is measured against a slow one.
  const slowMs = lowerMedian(evidences.flatMap((evidence) => quantileOf(weighAll(evidence), 0.9) ?? []));
  return evidences.map((evidence, index) => {
    const lasted: Lasted[] = [];
    for (const [route, sample] of all[index]!) {
      const usual = usualMs.get(route);
      if (usual === undefined) continue;
      for (const { value, count } of sample) lasted.push({ value: value / usual, count, excessMs: value - usual });
    }
    if (slowMs !== null) {
      for (const { value, count } of openAges(evidence)) {
        lasted.push({ value: value / slowMs, count, excessMs: value - slowMs });
      }
    }
    return lasted;
  });
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

const QUARTILES = [0.25, 0.5, 0.75] as const;

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
  return last !== undefined && !last.isStarved && (last.latency.length > 0 || last.open > 0);
};

/**
 * Which workers are slower than their peers, in the order given; null: not this one. Slow is: in every quartile `slowFactor`
 * times as slow, by `slowByMs` in the middle, and too surely for chance. Every quartile, because a worker that happens
 * to get more of the slow requests (one route of two, misses instead of hits) differs in one or two of them only; one that
 * is slow is slow throughout.
 */
export const findSlow = (evidences: readonly Evidence[], policy: EvidencePolicy): readonly (Verdict | null)[] => {
  const lasting = compareLasting(evidences);
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
  if (!QUARTILES.every((q) => quantileOf(mine, q)! >= policy.slowFactor * usualAt(q))) return null;
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
