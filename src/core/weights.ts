/**
 * What share of the new connections each shard may have, from what the shards show (queues, load, death). Even shards get
 * exactly even weights, because kept-alive connections stay where they were put: a burst must not tilt them. Refuses to
 * touch sockets: `net/` applies what comes out.
 */

export interface ShardSample {
  /** Connections waiting in the accept queue. */
  readonly depth: number;
  /** Connections that it was given since the last sample; null where nobody counts. */
  readonly arrivals: number | null;
  /** The worker would have gone on if it had been given a core: nothing is wrong with it. */
  readonly isStarved: boolean;
  /** Event-loop utilisation of the worker, 0–1; null where there is no agent. */
  readonly utilization: number | null;
  /** Open connections of the worker. */
  readonly connections: number | null;
  /** The share that the operator or a deployment gave it; 0 takes no new connections. */
  readonly base: number;
  /** A live worker accepts from it. */
  readonly isUp: boolean;
  /** Shards of one lane run the same release. */
  readonly lane: string;
}

export interface FeedbackPolicy {
  /** Polls in a row in which a queue that others do not have became no shorter, before a shard loses weight. */
  readonly behindPolls: number;
  /** The same of a queue that moves, but is always there. */
  readonly slowPolls: number;
  /** A queue that is so many times shorter counts as none: on a busy machine nobody's is empty. */
  readonly shorterBy: number;
  /** Polls in a row in which its queue became no shorter, before a sibling covers it. */
  readonly stalledPolls: number;
  /** Time since a shard was last stuck before it is trusted again: while it is covered, an empty queue proves little. */
  readonly calmMs: number;
  /** A shard that falls behind again within this time is one that stalls now and then: */
  readonly repeatWithinMs: number;
  /** it keeps its cover, and gets little, for this long after it was last behind, so that its next stall delays nobody. */
  readonly keepCoverMs: number;
  /** What a shard that is behind keeps of its weight at each further poll. */
  readonly loseFactor: number;
  /** By how much of itself its factor grows at each poll with an empty queue: 1 doubles it. */
  readonly regain: number;
  /** The smallest factor above 0: a shard that gets nothing shows nothing. */
  readonly minFactor: number;
  /** Open connections are evened out only beyond this many in all, */
  readonly evenOutConnections: number;
  /** and beyond this much difference from the mean (0.2 is 20 %), */
  readonly evenOutBeyond: number;
  /** by at most this much of the weight. */
  readonly evenOutBy: number;
}

export const FEEDBACK_POLICY: FeedbackPolicy = {
  behindPolls: 2,
  slowPolls: 10,
  shorterBy: 4,
  stalledPolls: 3,
  calmMs: 600,
  repeatWithinMs: 15_000,
  keepCoverMs: 5000,
  loseFactor: 0.25,
  regain: 1,
  minFactor: 0.02,
  evenOutConnections: 16,
  evenOutBeyond: 0.2,
  evenOutBy: 0.1,
};

interface ShardFeedback {
  /** What is left of its base weight, 0–1. */
  readonly factor: number;
  /** Polls in a row with a queue while somebody else had none. */
  readonly behind: number;
  /** Those of them, up to the last one, in which it became no shorter: a busy worker's does now and then, a blocked one's never. */
  readonly stuck: number;
  /** When it was last found to be stuck; null: never. */
  readonly stuckAt: number | null;
  /** Its cover is kept until then; null where it has not stalled repeatedly. */
  readonly coverUntil: number | null;
  readonly depth: number;
  /** What has come since its queue was last seen to move, and how long that was then; null: it moved at the last look. */
  readonly unmoved: { readonly arrivals: number; readonly depth: number } | null;
  readonly coveredBy: number | null;
  /** Polls in a row in which its queue became no shorter although a sibling accepts in its place. */
  readonly idle: number;
}

export interface FeedbackState {
  readonly shards: readonly ShardFeedback[];
  /** When there was last a queue or any change of open connections. */
  readonly busyAt: number | null;
  readonly polledAt: number;
  readonly connections: number | null;
}

export interface Cover {
  readonly shard: number;
  readonly by: number;
}

export interface FeedbackStep {
  readonly state: FeedbackState;
  /** One for each sample; not normalised. */
  readonly weights: readonly number[];
  readonly cover: readonly Cover[];
  readonly uncover: readonly Cover[];
}

export const newFeedback = (): FeedbackState => ({ shards: [], busyAt: null, polledAt: 0, connections: null });

const FRESH: ShardFeedback = {
  factor: 1,
  behind: 0,
  stuck: 0,
  stuckAt: null,
  coverUntil: null,
  depth: 0,
  unmoved: null,
  coveredBy: null,
  idle: 0,
};

/** A shard is behind when it has a queue, poll after poll, while another live shard has none, or a far shorter one. */
const judge = (
  before: ShardFeedback,
  sample: ShardSample,
  isAnyoneFree: boolean,
  at: number,
  policy: FeedbackPolicy,
): ShardFeedback => {
  const { depth } = sample;
  const isStill = isUnmoved(before, sample);
  const idle = before.coveredBy !== null && isStill ? before.idle + 1 : 0;
  const seen = { ...before, depth, idle, unmoved: isStill ? since(before, sample) : null };
  // The next worker of a dead one's shard begins with a clean record.
  if (!sample.isUp) return { ...seen, behind: 0, stuck: 0, factor: 1, stuckAt: null, coverUntil: null };
  if (sample.base <= 0) return { ...seen, behind: depth > 0 ? before.behind : 0, stuck: depth > 0 ? before.stuck : 0 };
  // Everybody has a queue: that is load, not a stalled worker, and shifting it would only move the queue.
  if (depth === 0 || !isAnyoneFree) {
    // While a sibling empties the queue, an empty queue says nothing about the worker.
    const regained = before.coveredBy === null ? Math.min(1, before.factor * (1 + policy.regain)) : before.factor;
    return { ...seen, behind: 0, stuck: 0, factor: regained };
  }
  const behind = before.behind + 1;
  const stuck = isStill ? before.stuck + (sample.isStarved ? 0 : 1) : 0;
  const isStuck = stuck >= policy.behindPolls;
  const lost = Math.max(policy.minFactor, before.factor * policy.loseFactor);
  if (!isStuck) return { ...seen, behind, stuck, factor: behind < policy.slowPolls ? before.factor : lost };
  const coverUntil = stallsRepeatedly(before, at, policy) ? at + policy.keepCoverMs : null;
  return { ...seen, behind, stuck, stuckAt: at, coverUntil, factor: lost };
};

/** There is a queue, and nobody takes from it. */
const isUnmoved = (before: ShardFeedback, sample: ShardSample): boolean =>
  sample.depth > 0 && sample.depth >= before.depth && !isAccepting(before, sample);

/** Indices of the shards whose workers may be blocked, for who knows more about them. */
export const findUnmoved = (state: FeedbackState, samples: readonly ShardSample[]): ReadonlySet<number> =>
  new Set([...samples.keys()].filter((index) => isUnmoved(state.shards[index] ?? FRESH, samples[index]!)));

/** What has come, this sample included, while its queue did not move. */
const since = (before: ShardFeedback, sample: ShardSample): { readonly arrivals: number; readonly depth: number } => ({
  arrivals: (before.unmoved?.arrivals ?? 0) + (sample.arrivals ?? 0),
  depth: before.unmoved?.depth ?? before.depth,
});

/**
 * Most of what arrived did not stay: a queue that is as long as before because it is refilled as fast as it is emptied.
 * Not all of what arrived counts, because a handshake that has begun may be seconds from its end; so little traffic shows
 * it only over several polls.
 */
const isAccepting = (before: ShardFeedback, sample: ShardSample): boolean => {
  if (sample.arrivals === null) return false;
  const { arrivals, depth } = since(before, sample);
  return arrivals - (sample.depth - depth) > Math.max(1, arrivals / 2);
};

const isFreer = (other: ShardSample, sample: ShardSample, { shorterBy }: FeedbackPolicy): boolean =>
  other.isUp && other.base > 0 && other.depth * shorterBy <= sample.depth;

/** It had caught up in between, and not long ago; or it is known for it already. */
const stallsRepeatedly = ({ stuckAt, coverUntil }: ShardFeedback, at: number, policy: FeedbackPolicy): boolean =>
  stuckAt !== null && at - stuckAt <= policy.repeatWithinMs && (coverUntil !== null || at - stuckAt >= policy.calmMs);

/** Leans weights gently against a standing imbalance of open connections; 1 for all when it is small. */
const evenOut = (samples: readonly ShardSample[], policy: FeedbackPolicy): readonly number[] => {
  const counted = samples.filter(({ isUp, base, connections }) => isUp && base > 0 && connections !== null);
  const open = counted.reduce((sum, { connections }) => sum + (connections ?? 0), 0);
  const base = counted.reduce((sum, sample) => sum + sample.base, 0);
  if (open < policy.evenOutConnections || base <= 0) return samples.map(() => 1);
  return samples.map((sample) => {
    if (!sample.isUp || sample.base <= 0 || sample.connections === null) return 1;
    const fair = (open * sample.base) / base;
    const excess = (sample.connections - fair) / fair;
    if (Math.abs(excess) <= policy.evenOutBeyond) return 1;
    return 1 - policy.evenOutBy * Math.sign(excess);
  });
};

/**
 * Whether one shard's worker may accept for another shard. One that is to get no connections gets none this way
 * either; only a dead worker's clients are better off with it than with nobody.
 */
const mayCover = (by: ShardSample, shard: ShardSample): boolean => by.isUp && (by.base > 0 || !shard.isUp);

/** Negative when `a` is the better one to accept for `shard`: shares at all, the same lane, a short queue, an idle worker. */
const compareSiblings = (a: ShardSample, b: ShardSample, shard: ShardSample): number =>
  Number(b.base > 0) - Number(a.base > 0) ||
  Number(b.lane === shard.lane) - Number(a.lane === shard.lane) ||
  a.depth - b.depth ||
  (a.utilization ?? 0) - (b.utilization ?? 0);

/** The best live shard to accept for another one as well, but not the one that did `before`; -1 when there is none. */
const findSibling = (
  samples: readonly ShardSample[],
  shards: readonly ShardFeedback[],
  except: number,
  before: number | null,
): number => {
  const shard = samples[except]!;
  /** Somebody accepts in its place: its empty queue is not its own merit. */
  const isCovered = (index: number): number => Number(shards[index]!.coveredBy !== null);
  let best = -1;
  for (const [index, sample] of samples.entries()) {
    if (index === except || index === before || !mayCover(sample, shard) || shards[index]!.behind > 0) continue;
    const rank = best === -1 ? -1 : isCovered(index) - isCovered(best);
    if (rank < 0 || (rank === 0 && compareSiblings(sample, samples[best]!, shard) < 0)) best = index;
  }
  return best;
};

const needsCover = (sample: ShardSample, shard: ShardFeedback, at: number, policy: FeedbackPolicy): boolean => {
  // A dead worker's shard may still be handed connections whose handshake had begun: covered until it lives again.
  if (!sample.isUp) return true;
  // One that stalls now and then is covered sooner.
  if (shard.stuck >= (shard.coverUntil === null ? policy.stalledPolls : policy.behindPolls)) return true;
  if (shard.coveredBy === null) return false;
  if (shard.coverUntil !== null && at < shard.coverUntil) return true;
  const isCalm = shard.stuckAt === null || at - shard.stuckAt >= policy.calmMs;
  return shard.factor < 1 ? !isCalm : sample.depth > 0;
};

/** One poll: what each shard may have from now on, and who accepts for whom. */
export const stepFeedback = (
  state: FeedbackState,
  samples: readonly ShardSample[],
  at: number,
  policy: FeedbackPolicy = FEEDBACK_POLICY,
): FeedbackStep => {
  const judged = samples.map((sample, index) =>
    judge(
      state.shards[index] ?? FRESH,
      sample,
      samples.some((other, at) => at !== index && isFreer(other, sample, policy)),
      at,
      policy,
    ),
  );

  const cover: Cover[] = [];
  const uncover: Cover[] = [];
  const shards = judged.map((shard, index): ShardFeedback => {
    const sample = samples[index]!;
    const current = shard.coveredBy;
    const coverer = current === null ? undefined : samples[current];
    const isCoverAlive = coverer?.isUp === true;
    if (needsCover(sample, shard, at, policy)) {
      const isHelped = coverer !== undefined && mayCover(coverer, sample);
      // Whoever accepts in its place may stall as well.
      const by = isHelped && shard.idle < policy.slowPolls ? current! : findSibling(samples, judged, index, current);
      if (by === current || (by === -1 && isHelped)) return shard;
      if (current !== null && isCoverAlive) uncover.push({ shard: index, by: current });
      if (by === -1) return { ...shard, coveredBy: null };
      cover.push({ shard: index, by });
      return { ...shard, coveredBy: by, idle: 0 };
    }
    if (current !== null && isCoverAlive) uncover.push({ shard: index, by: current });
    return current === null ? shard : { ...shard, coveredBy: null };
  });

  const lean = evenOut(samples, policy);
  const wanted = samples.map((sample, index) => (sample.isUp ? sample.base * shards[index]!.factor * lean[index]! : 0));
  // Nobody is better than anybody: then the bases are as good as anything, and a queue is better than a refusal.
  const weights = wanted.some((weight) => weight > 0) ? wanted : samples.map(({ base }) => base);

  const connections = samples.reduce((sum, sample) => sum + (sample.connections ?? 0), 0);
  const isBusy = samples.some(({ depth }) => depth > 0) || connections !== (state.connections ?? connections);
  return {
    state: { shards, busyAt: isBusy ? at : state.busyAt, polledAt: at, connections },
    weights,
    cover,
    uncover,
  };
};

const FAST_MS = 10;
const SLOW_MS = 500;
/** How long after the last sign of traffic polling stays fast. */
const LINGER_MS = 1000;

/** How long to wait before the next poll: fast while there is traffic or trouble, slower the longer it is quiet. */
export const pollEvery = (state: FeedbackState): number => {
  if (state.shards.some(({ behind, factor, depth }) => behind > 0 || factor < 1 || depth > 0)) return FAST_MS;
  if (state.busyAt === null) return SLOW_MS;
  const quietMs = state.polledAt - state.busyAt;
  return quietMs < LINGER_MS ? FAST_MS : Math.min(SLOW_MS, Math.max(FAST_MS, Math.round(quietMs / 40)));
};
