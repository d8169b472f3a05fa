/** What `core/weights.ts` leaves to its caller: its state is by index, and shards come and go. Pure. */
import { FEEDBACK_POLICY, stepFeedback } from '../core/index.ts';
import type { FeedbackState, FeedbackStep, ShardSample } from '../core/index.ts';

/** The state after the shard at this index has gone. */
export function withoutShard(state: FeedbackState, gone: number): FeedbackState {
  const shift = (index: number | null): number | null => {
    if (index === null || index === gone) return null;
    return index > gone ? index - 1 : index;
  };
  const shards = state.shards
    .filter((_, index) => index !== gone)
    .map((shard) => ({ ...shard, coveredBy: shift(shard.coveredBy) }));
  return { ...state, shards };
}

/** The state after whoever covered this shard has gone. */
export function withoutCover(state: FeedbackState, shard: number): FeedbackState {
  return { ...state, shards: state.shards.map((each, at) => (at === shard ? { ...each, coveredBy: null } : each)) };
}

/**
 * A step because somebody came or went, not because time has passed: polls are counted, and a dozen such changes within a
 * millisecond must not make a shard look stalled.
 */
export function stepChange(state: FeedbackState, samples: readonly ShardSample[], at: number): FeedbackStep {
  const policy = { ...FEEDBACK_POLICY, behindPolls: Infinity, slowPolls: Infinity, stalledPolls: Infinity, regain: 0 };
  const step = stepFeedback(state, samples, at, policy);
  const shards = step.state.shards.map((shard, index) => ({
    ...shard,
    behind: state.shards[index]?.behind ?? 0,
    stuck: state.shards[index]?.stuck ?? 0,
    idle: state.shards[index]?.idle ?? 0,
  }));
  return { ...step, state: { ...step.state, shards } };
}
