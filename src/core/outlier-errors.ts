/**
 * Whether a worker fails more than its peers: Envoy's two rules (errors in a row; success rate against the mean of all), and
 * a comparison that works for few workers too. Like is compared with like: by route where workers report routes.
 *
 * Envoy's rules and figures: envoyproxy.io, "Outlier detection" (architecture overview, `outlier_detection.proto`).
 */
import { lowerMedian } from './latency.ts';
import { failedOf, hasRoutes, servedOf } from './outlier-evidence.ts';
import type { Evidence, EvidencePolicy, Verdict } from './outlier-evidence.ts';

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

const judgeRow = (evidence: Evidence, consecutiveErrors: number): Verdict | null =>
  evidence.errorsInRow >= consecutiveErrors
    ? { kind: 'errors-in-a-row', reason: `at least ${evidence.errorsInRow} failed answers in a row` }
    : null;

/** Envoy's success-rate rule, with a least difference. The worker itself is among those that make up the mean. */
const judgeSuccessRate = (own: Evidence, peers: readonly Evidence[], policy: EvidencePolicy): Verdict | null => {
  const rate = (evidence: Evidence): number | null => {
    const served = servedOf(evidence);
    const requests = served + failedOf(evidence);
    return requests >= policy.requestVolume ? served / requests : null;
  };
  const ownRate = rate(own);
  if (ownRate === null) return null;
  const rates = [ownRate, ...peers.map(rate).filter((one) => one !== null)];
  if (rates.length < policy.minimumHosts) return null;
  const mean = rates.reduce((sum, one) => sum + one, 0) / rates.length;
  const deviation = Math.sqrt(rates.reduce((sum, one) => sum + (one - mean) ** 2, 0) / rates.length);
  const bound = Math.min(mean - policy.stdevFactor * deviation, mean - policy.minimumFailureExcess);
  if (ownRate >= bound) return null;
  return {
    kind: 'success-rate',
    reason: `${percent(ownRate)} of its answers are good, of all workers' on average ${percent(mean)}`,
  };
};

interface Tally {
  readonly requests: number;
  readonly failed: number;
}

interface FailureComparison {
  readonly own: Tally;
  /** What share of the same requests failed elsewhere, and of how many requests that is known. */
  readonly expectedShare: number;
  readonly peerRequests: number;
}

const tallyRoutes = (evidences: readonly Evidence[]): Map<string, Tally> => {
  const tallies = new Map<string, Tally>();
  for (const { intervals } of evidences) {
    for (const { routes } of intervals) {
      for (const { route, served, failed } of routes) {
        const { requests, failed: before } = tallies.get(route) ?? { requests: 0, failed: 0 };
        tallies.set(route, { requests: requests + served + failed, failed: before + failed });
      }
    }
  }
  return tallies;
};

/** By indirect standardisation: what would have failed of this worker's requests if they had failed as they do elsewhere. */
const compareByRoute = (own: Evidence, peers: readonly Evidence[]): FailureComparison | null => {
  const ofPeers = tallyRoutes(peers);
  let requests = 0;
  let failed = 0;
  let expected = 0;
  let peerRequests = 0;
  for (const [route, tally] of tallyRoutes([own])) {
    const peer = ofPeers.get(route);
    if (peer === undefined || peer.requests < 3) continue;
    requests += tally.requests;
    failed += tally.failed;
    expected += (tally.requests * peer.failed) / peer.requests;
    peerRequests += peer.requests;
  }
  return requests === 0 ? null : { own: { requests, failed }, expectedShare: expected / requests, peerRequests };
};

const compareAll = (own: Evidence, peers: readonly Evidence[]): FailureComparison | null => {
  const tallies = peers
    .map((peer) => ({ requests: servedOf(peer) + failedOf(peer), failed: failedOf(peer) }))
    .filter(({ requests }) => requests >= 3);
  // The median: one more failing worker among the peers must not excuse this one.
  const expectedShare = lowerMedian(tallies.map(({ requests, failed }) => failed / requests));
  const failed = failedOf(own);
  if (expectedShare === null) return null;
  return {
    own: { requests: servedOf(own) + failed, failed },
    expectedShare,
    peerRequests: tallies.reduce((sum, { requests }) => sum + requests, 0),
  };
};

/** Two shares compared (a two-proportion z-test), for apps with fewer workers than Envoy's rule can judge. */
const judgeFailures = (own: Evidence, peers: readonly Evidence[], policy: EvidencePolicy): Verdict | null => {
  const isByRoute = hasRoutes(own) && peers.some(hasRoutes);
  const comparison = isByRoute ? compareByRoute(own, peers) : compareAll(own, peers);
  if (comparison === null || comparison.own.requests < policy.pairVolume) return null;
  const { requests, failed } = comparison.own;
  const share = failed / requests;
  const { expectedShare, peerRequests } = comparison;
  if (share - expectedShare < policy.pairFailureExcess) return null;
  const pooled = (failed + expectedShare * peerRequests) / (requests + peerRequests);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / requests + 1 / peerRequests));
  if (deviation > 0 && (share - expectedShare) / deviation < policy.significance) return null;
  const like = isByRoute ? 'of the same requests' : 'of requests';
  return {
    kind: 'failures',
    reason: `${failed} of its ${requests} answers failed (${percent(share)}); its peers fail ${percent(expectedShare)} ${like}`,
  };
};

/** What is wrong with a worker's answers beside those of its peers; null: nothing new. `consecutiveErrors` as configured. */
export const judgeErrors = (
  own: Evidence,
  peers: readonly Evidence[],
  consecutiveErrors: number,
  policy: EvidencePolicy,
): Verdict | null => {
  // Without a new failure there is nothing that was not judged before; it may be over.
  if ((own.intervals.at(-1)?.failed ?? 0) === 0) return null;
  return judgeRow(own, consecutiveErrors) ?? judgeSuccessRate(own, peers, policy) ?? judgeFailures(own, peers, policy);
};
