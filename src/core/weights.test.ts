import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findUnmoved, newFeedback, pollEvery, stepFeedback } from './weights.ts';
import type { FeedbackState, FeedbackStep, ShardSample } from './weights.ts';

const shard = (change: Partial<ShardSample> = {}): ShardSample => ({
  depth: 0,
  arrivals: null,
  isStarved: false,
  utilization: 0.2,
  connections: 0,
  base: 100,
  isUp: true,
  lane: 'stable',
  ...change,
});

/** Polls the same picture several times, 10 ms apart. */
const poll = (samples: readonly ShardSample[], times: number, from: FeedbackState = newFeedback()): FeedbackStep[] => {
  const steps: FeedbackStep[] = [];
  let state = from;
  for (let time = 1; time <= times; time++) {
    const step = stepFeedback(state, samples, state.polledAt + 10);
    steps.push(step);
    state = step.state;
  }
  return steps;
};

describe('feedback', () => {
  it('leaves even shards exactly even, also when all of them have a queue', () => {
    for (const depth of [0, 3, 400]) {
      const steps = poll([shard({ depth }), shard({ depth: depth * 2 }), shard({ depth })], 10);
      for (const { weights, cover } of steps) assert.deepEqual([weights, cover], [[100, 100, 100], []]);
    }
  });

  it('finds the shard that is behind also where nobody is without a queue', () => {
    const steps = poll([shard({ depth: 9 }), shard({ depth: 2 }), shard({ depth: 3 })], 3);
    assert.ok((steps.at(-1)?.weights.at(0) ?? 100) < 10);
    assert.deepEqual(steps.at(-1)?.weights.slice(1), [100, 100]);
  });

  it('knows a busy worker, whose queue moves, from a blocked one, and takes weight from it only when that lasts', () => {
    const play = (depths: readonly number[], from: FeedbackState): FeedbackStep =>
      depths.reduce<FeedbackStep>(
        ({ state }, depth) => stepFeedback(state, [shard({ depth }), shard()], state.polledAt + 10),
        { state: from, weights: [], cover: [], uncover: [] },
      );
    const soon = play([4, 2, 5, 1, 3, 2, 4], newFeedback());
    assert.deepEqual(soon.weights, [100, 100]);
    const { weights, state } = play([1, 5, 2, 6, 3], soon.state);
    assert.ok((weights.at(0) ?? 100) < 100);
    assert.equal(state.shards.at(0)?.coveredBy, null, 'accepting for it would not help');
  });

  it('takes a queue that is refilled as fast as it is emptied for what it is, where arrivals are counted', () => {
    const play = (arrivals: number | null, growth: number): FeedbackStep => {
      let step: FeedbackStep = { state: newFeedback(), weights: [], cover: [], uncover: [] };
      for (let n = 1; n <= 5; n++) {
        const samples = [shard({ depth: n * growth, arrivals }), shard()];
        step = stepFeedback(step.state, samples, step.state.polledAt + 10);
      }
      return step;
    };
    const busy = play(30, 1);
    assert.deepEqual([busy.weights, busy.state.shards.at(0)?.coveredBy], [[100, 100], null]);
    // Blocked: all that arrived is still there, but for handshakes that are under way.
    for (const blocked of [play(30, 30), play(30, 20), play(0, 1), play(null, 1)]) {
      assert.ok((blocked.weights.at(0) ?? 100) < 10);
      assert.equal(blocked.state.shards.at(0)?.coveredBy, 1);
    }
  });

  it('blames nobody for a queue while no core is free, and names those of whom that is to be found out', () => {
    const queue = { depth: 20, arrivals: 0 };
    const samples = [shard({ ...queue, isStarved: true }), shard()];
    const steps = poll(samples, 9);
    assert.deepEqual([...findUnmoved(steps.at(-1)?.state ?? newFeedback(), samples)], [0]);
    assert.deepEqual(steps.at(-1)?.weights, [100, 100]);
    // What it showed before it was starved still counts.
    const blocked = poll([shard({ ...queue, isStarved: false }), shard()], 2, steps.at(-1)?.state);
    assert.ok((blocked.at(-1)?.weights.at(0) ?? 100) < 100);
    const moving = [shard({ depth: 20, arrivals: 30 }), shard({ depth: 3 }), shard()];
    assert.deepEqual([...findUnmoved(poll(moving, 2).at(-1)?.state ?? newFeedback(), moving)], [1]);
  });

  it('is not disturbed by a queue that is gone at the next poll', () => {
    const first = stepFeedback(newFeedback(), [shard({ depth: 9 }), shard()], 10);
    assert.deepEqual(first.weights, [100, 100]);
    assert.deepEqual(stepFeedback(first.state, [shard(), shard()], 20).weights, [100, 100]);
  });

  it('takes weight from a shard that falls behind, covers it, and gives it back when its queue is empty', () => {
    const steps = poll([shard({ depth: 2 }), shard(), shard({ utilization: 0.1 })], 3);
    assert.deepEqual(steps.at(1)?.weights, [25, 100, 100]);
    assert.ok((steps.at(2)?.weights.at(0) ?? 100) < 10);
    assert.deepEqual(steps.at(2)?.cover, [{ shard: 0, by: 2 }]);
    const held = poll([shard(), shard(), shard()], 59, steps.at(2)?.state);
    assert.ok(
      held.every(({ uncover }) => uncover.length === 0),
      'not trusted while somebody else empties its queue',
    );
    assert.ok((held.at(-1)?.weights.at(0) ?? 100) < 10);
    const back = poll([shard(), shard(), shard()], 8, held.at(-1)?.state);
    assert.deepEqual(back.at(0)?.uncover, [{ shard: 0, by: 2 }]);
    assert.deepEqual(back.at(7)?.weights, [100, 100, 100]);
  });

  it('covers a shard that stalls again sooner', () => {
    const stalled = poll([shard({ depth: 2 }), shard()], 3);
    const trusted = poll([shard(), shard()], 61, stalled.at(-1)?.state);
    const again = poll([shard({ depth: 1 }), shard()], 2, trusted.at(-1)?.state);
    assert.deepEqual(again.at(1)?.cover, [{ shard: 0, by: 1 }]);
  });

  it('covers by a worker of the same release, where there is one', () => {
    const samples = [
      shard({ isUp: false, lane: 'candidate' }),
      shard(),
      shard({ lane: 'candidate', utilization: 0.9 }),
    ];
    assert.deepEqual(stepFeedback(newFeedback(), samples, 10).cover, [{ shard: 0, by: 2 }]);
    const alone = [shard({ isUp: false, lane: 'candidate' }), shard({ base: 0 }), shard({ utilization: 0.9 })];
    assert.deepEqual(stepFeedback(newFeedback(), alone, 10).cover, [{ shard: 0, by: 2 }]);
  });

  it('ends a cover by a worker that is to get no connections any more', () => {
    const stalled = poll([shard({ depth: 2 }), shard({ lane: 'candidate' })], 3).at(-1);
    assert.deepEqual(stalled?.cover, [{ shard: 0, by: 1 }]);
    const moved = [shard({ depth: 2 }), shard({ lane: 'candidate', base: 0 })];
    const next = stepFeedback(stalled?.state ?? newFeedback(), moved, 40);
    assert.deepEqual([next.uncover, next.cover], [[{ shard: 0, by: 1 }], []]);
  });

  it('keeps covering a shard that stalls again and again, with little weight, and lets go when it has been calm', () => {
    let { state } = poll([shard({ depth: 2 }), shard()], 3).at(-1) ?? { state: newFeedback() };
    ({ state } = poll([shard(), shard()], 80, state).at(-1) ?? { state });
    assert.equal(state.shards.at(0)?.coveredBy, null, 'once is an accident');
    ({ state } = poll([shard({ depth: 2 }), shard()], 3, state).at(-1) ?? { state });
    const kept = poll([shard(), shard()], 499, state);
    assert.ok(kept.every(({ uncover }) => uncover.length === 0));
    assert.ok((kept.at(-1)?.weights.at(0) ?? 100) < 10);
    const end = poll([shard(), shard()], 1, kept.at(-1)?.state).at(0);
    assert.deepEqual(end?.uncover, [{ shard: 0, by: 1 }]);
    const later = stepFeedback(end?.state ?? state, [shard(), shard()], 60_000).state;
    const rare = poll([shard({ depth: 2 }), shard()], 3, later);
    const over = poll([shard(), shard()], 70, rare.at(-1)?.state);
    assert.ok(
      over.some(({ uncover }) => uncover.length > 0),
      'a minute later it is an accident again',
    );
  });

  it('trusts a shard again although its queue is never empty for long', () => {
    let { state } = poll([shard({ depth: 2 }), shard()], 5).at(-1) ?? { state: newFeedback() };
    const busy = [
      [shard({ depth: 1 }), shard()],
      [shard(), shard({ depth: 1 })],
      [shard({ depth: 1 }), shard({ depth: 1 })],
    ];
    let weights: readonly number[] = [];
    for (let time = 0; time < 90; time++) ({ state, weights } = stepFeedback(state, busy[time % 3] ?? [], time * 10));
    assert.deepEqual(weights, [100, 100]);
    assert.equal(state.shards.at(0)?.coveredBy, null);
  });

  it('covers a dead shard at once, and uncovers it when it lives again', () => {
    const dead = stepFeedback(newFeedback(), [shard({ isUp: false }), shard()], 10);
    assert.deepEqual([dead.weights, dead.cover], [[0, 100], [{ shard: 0, by: 1 }]]);
    const still = stepFeedback(dead.state, [shard({ isUp: false }), shard()], 20);
    assert.deepEqual(still.cover, [], 'said once');
    assert.deepEqual(stepFeedback(still.state, [shard(), shard()], 30).uncover, [{ shard: 0, by: 1 }]);
  });

  it('finds another sibling when the one that covers dies too', () => {
    const first = stepFeedback(newFeedback(), [shard({ isUp: false }), shard(), shard({ utilization: 0.5 })], 10);
    const second = stepFeedback(first.state, [shard({ isUp: false }), shard({ isUp: false }), shard()], 20);
    assert.deepEqual(second.cover, [
      { shard: 0, by: 2 },
      { shard: 1, by: 2 },
    ]);
  });

  it('finds another sibling when the one that covers stalls too, whether the shard lives or not', () => {
    for (const isUp of [true, false]) {
      const stuck = shard({ depth: 5, isUp });
      const all = [stuck, shard(), shard()];
      const covered = poll(all, 3).at(-1)!;
      assert.equal(covered.state.shards.at(0)?.coveredBy, 1);
      const steps = poll(all, 12, covered.state);
      assert.deepEqual(steps.flatMap(({ uncover }) => uncover).at(0), { shard: 0, by: 1 });
      assert.deepEqual(steps.flatMap(({ cover }) => cover).at(0), { shard: 0, by: 2 });
      // Nobody else is there: it stays with the one that it has.
      const alone = poll([stuck, shard()], 30);
      assert.deepEqual(
        alone.flatMap(({ cover }) => cover),
        [{ shard: 0, by: 1 }],
      );
    }
  });

  it('prefers a sibling that needs no cover itself', () => {
    // The second one stalls and is covered, so its queue is empty.
    const covered = poll([shard(), shard({ depth: 5 }), shard()], 3).at(-1)!;
    assert.equal(covered.state.shards.at(1)?.coveredBy, 0);
    const steps = poll([shard({ depth: 5 }), shard(), shard()], 3, covered.state);
    assert.equal(steps.at(-1)?.state.shards.at(0)?.coveredBy, 2);
  });

  it('never gives all shards weight 0 when somebody should have some', () => {
    const dead = shard({ isUp: false });
    assert.deepEqual(stepFeedback(newFeedback(), [dead, dead], 10).weights, [100, 100]);
  });

  it('keeps a base of 0 at 0', () => {
    for (const { weights } of poll([shard({ base: 0, depth: 3 }), shard()], 5)) assert.deepEqual(weights, [0, 100]);
  });

  it('evens out open connections only when there are many, and the difference is large', () => {
    const even = (a: number, b: number): readonly number[] =>
      stepFeedback(newFeedback(), [shard({ connections: a }), shard({ connections: b })], 10).weights.map(Math.round);
    assert.deepEqual(even(9, 5), [100, 100]);
    assert.deepEqual(even(110, 90), [100, 100]);
    assert.deepEqual(even(150, 50), [90, 110]);
  });

  it('never loses a weight or covers by a dead shard, whatever the picture', () => {
    const anyShard = fc.record({
      depth: fc.integer({ min: 0, max: 5 }),
      arrivals: fc.option(fc.nat(10)),
      isStarved: fc.boolean(),
      utilization: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      connections: fc.option(fc.nat(200)),
      base: fc.constantFrom(0, 5, 95, 100),
      isUp: fc.boolean(),
      lane: fc.constantFrom('stable', 'candidate'),
    });
    const pictures = fc
      .integer({ min: 1, max: 5 })
      .chain((size) => fc.array(fc.array(anyShard, { minLength: size, maxLength: size }), { maxLength: 30 }));
    fc.assert(
      fc.property(pictures, (history) => {
        let state = newFeedback();
        const covered = new Map<number, number>();
        for (const [index, samples] of history.entries()) {
          const step = stepFeedback(state, samples, index * 10);
          state = step.state;
          for (const { shard, by } of step.uncover) {
            assert.equal(covered.get(shard), by, 'only what is covered is uncovered, from the one that covers it');
            covered.delete(shard);
          }
          for (const { shard, by } of step.cover) {
            assert.ok(by !== shard && samples.at(by)?.isUp === true, 'a living sibling covers');
            covered.set(shard, by);
          }
          for (const [shard, by] of covered) {
            // Nobody has to be told to stop who is gone.
            if (samples.at(by)?.isUp !== true) covered.delete(shard);
          }
          for (const [shard, by] of covered) {
            const isFit = samples.at(by)?.base !== 0 || samples.at(shard)?.isUp === false;
            assert.ok(isFit, 'who is to get nothing does not accept for a living worker');
          }
          const wants = samples.some(({ base }) => base > 0);
          assert.equal(
            step.weights.some((weight) => weight > 0),
            wants,
            'somebody gets the connections',
          );
          for (const [at, weight] of step.weights.entries()) {
            if (samples.at(at)?.base === 0) assert.equal(weight, 0);
            else if (samples.at(at)?.isUp) assert.ok(weight > 0, 'a shard that gets nothing shows nothing');
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the pace of polling', () => {
  it('is fast with a queue or fresh traffic, and slows down when it is quiet', () => {
    assert.equal(pollEvery(newFeedback()), 500);
    const queue = stepFeedback(newFeedback(), [shard({ depth: 1 })], 10).state;
    assert.equal(pollEvery(queue), 10);
    let state = stepFeedback(queue, [shard()], 20).state;
    assert.equal(pollEvery(state), 10);
    state = stepFeedback(state, [shard()], 10_010).state;
    assert.equal(pollEvery(state), 250);
    state = stepFeedback(state, [shard()], 100_010).state;
    assert.equal(pollEvery(state), 500);
  });
});
