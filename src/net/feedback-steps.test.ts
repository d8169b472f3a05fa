import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newFeedback, stepFeedback } from '../core/index.ts';
import type { FeedbackState, ShardSample } from '../core/index.ts';
import { stepChange, withoutShard } from './feedback-steps.ts';

const sample = (depth: number, isUp = true): ShardSample => ({
  depth,
  arrivals: null,
  isStarved: false,
  isUp,
  base: 1,
  lane: 'stable',
  utilization: null,
  connections: null,
});

describe('a change of membership', () => {
  it('is no poll: a dozen at once make nobody look stalled', () => {
    let state: FeedbackState = newFeedback();
    for (let n = 0; n < 12; n += 1) {
      const step = stepChange(state, [sample(0), sample(5)], 0);
      assert.deepEqual(step.weights, [1, 1]);
      assert.deepEqual(step.cover, []);
      state = step.state;
    }
  });

  it('forgives nothing either', () => {
    let state: FeedbackState = newFeedback();
    for (let n = 0; n < 4; n += 1) state = stepFeedback(state, [sample(0), sample(5)], n * 10).state;
    const [, weight = 1] = stepChange(state, [sample(0), sample(0)], 50).weights;
    assert.ok(weight < 0.25);
  });

  it('covers a shard without a worker at once', () => {
    assert.deepEqual(stepChange(newFeedback(), [sample(0), sample(0, false)], 0).cover, [{ shard: 1, by: 0 }]);
  });
});

describe('a shard that goes', () => {
  it('takes its place in the state along', () => {
    const { state } = stepFeedback(newFeedback(), [sample(0, false), sample(0), sample(0, false), sample(0)], 0);
    const [first] = state.shards;
    assert.ok(first?.coveredBy === 1);
    const after = withoutShard(state, 1).shards;
    assert.equal(after.length, 3);
    assert.equal(after[0]?.coveredBy, null);
    const shifted = withoutShard(state, 0).shards;
    assert.deepEqual(
      shifted.map(({ coveredBy }) => coveredBy),
      [null, 0, null],
    );
  });
});
