import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { RequestCounters } from '../protocol/index.ts';
import { BUCKET_COUNT, mergeHistograms } from './histogram.ts';
import { sumCounters } from './sum-counters.ts';

const count = fc.nat(1_000);
const latency = fc
  .array(fc.tuple(fc.nat(BUCKET_COUNT - 1), fc.integer({ min: 1, max: 9 })))
  .map((entries) => mergeHistograms(entries));
const counters: fc.Arbitrary<RequestCounters> = fc.record({
  begun: count,
  served: count,
  failed: count,
  lost: count,
  aborted: count,
  refused: count,
  upgrades: count,
  connections: count,
  byClass: fc.array(count, { minLength: 6, maxLength: 6 }),
  latency,
});

describe('the counters of processes that have ended', () => {
  it('added up one by one are those of all of them at once, and as large as one', () => {
    fc.assert(
      fc.property(counters, fc.array(counters, { maxLength: 30 }), (own, others) => {
        const oneByOne = others.reduce((sum, each) => sumCounters(sum, [each]), own);
        assert.deepEqual(oneByOne, sumCounters(own, others));
        assert.equal(oneByOne.connections, own.connections);
        assert.equal(
          oneByOne.served,
          others.reduce((sum, { served }) => sum + served, own.served),
        );
        assert.equal(oneByOne.byClass.length, 6);
        assert.ok(oneByOne.latency.length <= 2 * BUCKET_COUNT);
      }),
    );
  });
});
