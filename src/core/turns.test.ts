import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { NEW_RUN, schedule, stepRun } from './turns.ts';
import type { RunState } from './turns.ts';

describe('a schedule', () => {
  it('gives each weight its share, to within one turn', () => {
    const anyWeights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(anyWeights, (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const turns = schedule(weights);
        assert.equal(turns.length, total === 0 ? 0 : 256);
        if (total === 0) return;
        for (const [index, weight] of weights.entries()) {
          const share = turns.filter((turn) => turn === index).length;
          assert.ok(Math.abs(share - (256 * weight) / total) < 1, `weight ${weight} of ${total} got ${share} turns`);
          if (weight === 0) assert.equal(share, 0);
        }
      }),
    );
  });

  it('takes turns smoothly: equal weights go round in order', () => {
    assert.deepEqual(schedule([1, 1, 1, 1], 8), [0, 1, 2, 3, 0, 1, 2, 3]);
    assert.deepEqual(schedule([2, 1], 6), [0, 1, 0, 0, 1, 0]);
  });
});

/** So many connections a second, seen every 10 ms. */
const after = (perSecond: number, seconds: number, from: RunState = NEW_RUN): RunState =>
  Array.from({ length: seconds * 100 }).reduce<RunState>((state) => stepRun(state, perSecond / 100, 10), from);

describe('a run of connections', () => {
  it('is one connection where they come slowly, or have only begun to come fast', () => {
    assert.equal(after(3000, 10).run, 1);
    // A thousand within a tenth of a second are dealt out one by one.
    assert.equal(after(10_000, 0.1).run, 1);
  });

  it('spans about a millisecond of fast traffic, and no more than sixteen', () => {
    assert.deepEqual(
      [5000, 9000, 14_000, 40_000, 1e6].map((rate) => after(rate, 10).run),
      [4, 8, 8, 16, 16],
    );
  });

  it('is not changed to and fro by traffic at a border, and ends with the traffic', () => {
    const atBorder = after(4100, 10);
    assert.equal(after(3900, 10, atBorder).run, 4);
    assert.equal(after(2900, 10, atBorder).run, 1);
    assert.equal(after(0, 3, after(40_000, 10)).run, 1);
  });

  it('follows the rate alike however often it is looked at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 50_000 }), fc.integer({ min: 1, max: 500 }), (rate, everyMs) => {
        let state = NEW_RUN;
        for (let at = 0; at < 20_000; at += everyMs) state = stepRun(state, (rate * everyMs) / 1000, everyMs);
        assert.ok(Math.abs(state.perSecond - rate) < rate / 1000);
        assert.ok(state.run <= 16 && state.run <= Math.max(1, rate / 1000) * 2);
      }),
    );
  });
});
