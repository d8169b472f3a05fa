import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readMiddle, recordAll, subtract } from '../../test/support/latency.ts';
import { countOf, latencySince, lowerMedian, middleMs, quantileOf, weighLatency } from './latency.ts';

const durations = fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), { maxLength: 50 });

describe('a latency histogram', () => {
  it('is read with the layout that workers write', () => {
    for (let bucket = 0; bucket < 448; bucket++) {
      assert.ok(Math.abs(middleMs(bucket) / readMiddle(bucket) - 1) < 1e-9, `bucket ${bucket}`);
    }
    fc.assert(
      fc.property(durations, durations, (before, more) => {
        const earlier = recordAll(before);
        const later = recordAll([...before, ...more]);
        assert.deepEqual(latencySince(later, earlier), subtract(later, earlier));
        assert.equal(countOf(weighLatency(latencySince(later, earlier))), more.length);
      }),
    );
  });

  it('has quantiles: the smallest value that the share does not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const found = quantileOf(
            values.map((value) => ({ value, count: 1 })),
            q,
          )!;
          assert.ok(values.filter((value) => value <= found).length >= q * values.length);
          assert.ok(values.filter((value) => value < found).length < Math.max(1, q * values.length));
        },
      ),
    );
    assert.equal(quantileOf([], 0.5), null);
    assert.equal(
      quantileOf(
        [
          { value: 1, count: 3 },
          { value: 9, count: 1 },
        ],
        0.75,
      ),
      1,
    );
    assert.deepEqual([lowerMedian([]), lowerMedian([4, 1]), lowerMedian([3, 1, 2])], [null, 1, 2]);
  });
});
