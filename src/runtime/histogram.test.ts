import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  BUCKET_COUNT,
  boundsOf,
  bucketOf,
  countOf,
  Histogram,
  mergeHistograms,
  percentile,
  subtractHistogram,
} from './histogram.ts';

const durations = fc.double({ min: 0, max: 2_000_000, noNaN: true });

function histogramOf(values: readonly number[]): number[] {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toSparse();
}

describe('The histogram', () => {
  it('puts every duration into a bucket whose bounds hold it, to the microsecond', () => {
    fc.assert(
      fc.property(durations, (ms) => {
        const us = Math.floor(ms * 1000) / 1000;
        const { fromMs, toMs } = boundsOf(bucketOf(ms));
        assert.ok(fromMs <= us + 1e-9 && us < toMs, `${us} is not in ${fromMs}–${toMs}`);
        assert.ok(toMs - fromMs <= Math.max(0.001, fromMs / 16) + 1e-9);
      }),
    );
  });

  it('has buckets that follow one another without a gap', () => {
    for (let bucket = 1; bucket < BUCKET_COUNT; bucket++) {
      assert.equal(boundsOf(bucket).fromMs, boundsOf(bucket - 1).toMs);
    }
  });

  it('takes what is too long, negative or not a number', () => {
    assert.equal(bucketOf(1e12), BUCKET_COUNT - 1);
    assert.equal(bucketOf(-1), 0);
    assert.equal(bucketOf(Number.NaN), 0);
  });

  it('finds a percentile to about 3 % of the sorted value', () => {
    fc.assert(
      fc.property(
        fc.array(durations, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
          const found = percentile(histogramOf(values), q) ?? Number.NaN;
          assert.ok(Math.abs(found - exact) <= exact * 0.032 + 0.001, `${found} for ${exact}`);
        },
      ),
    );
  });

  it('has no percentile when it is empty', () => {
    assert.equal(percentile([], 0.5), null);
  });

  it('merges to what one histogram of all would be, and subtracts back', () => {
    fc.assert(
      fc.property(fc.array(durations), fc.array(durations), (first, second) => {
        const merged = mergeHistograms([histogramOf(first), histogramOf(second)]);
        assert.deepEqual(merged, histogramOf([...first, ...second]));
        assert.equal(countOf(merged), first.length + second.length);
        assert.deepEqual(subtractHistogram(merged, histogramOf(first)), histogramOf(second));
      }),
    );
  });

  it('never subtracts below zero, as after a restarted worker', () => {
    assert.deepEqual(subtractHistogram([3, 1], [3, 2, 4, 1]), []);
  });
});
