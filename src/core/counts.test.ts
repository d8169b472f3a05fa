import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { addSpan, countsBetween, countsIn, movedBackTo, newSeries, spanOf } from './counts.ts';

describe('counters', () => {
  it('count what came between two looks', () => {
    assert.deepEqual(countsBetween({ good: 90, total: 100 }, { good: 95, total: 110 }), { good: 5, total: 10 });
  });

  it('that are lower than before have begun again, and all that they show is new', () => {
    assert.deepEqual(countsBetween({ good: 90, total: 100 }, { good: 5, total: 7 }), { good: 5, total: 7 });
    assert.deepEqual(countsBetween({ good: 90, total: 100 }, { good: 89, total: 101 }), { good: 89, total: 101 });
    assert.deepEqual(countsBetween({ good: 0, total: 3 }, { good: 3, total: 4 }), { good: 3, total: 4 });
  });

  it('say nothing at first sight, nor where they are no numbers', () => {
    assert.equal(countsBetween(null, { good: 1, total: 2 }), null);
    assert.equal(countsBetween({ good: 0, total: 0 }, { good: Number.NaN, total: 2 }), null);
    assert.equal(countsBetween({ good: 0, total: 0 }, { good: 1, total: -2 }), null);
  });
});

describe('a series of counts', () => {
  it('spreads a span over the buckets that it touches', () => {
    const series = addSpan(newSeries(10, 6), { at: 35, forMs: 30, good: 27, total: 30 });
    assert.deepEqual(series.buckets, [
      { index: 0, bad: 0.5, total: 5, coveredMs: 5 },
      { index: 1, bad: 1, total: 10, coveredMs: 10 },
      { index: 2, bad: 1, total: 10, coveredMs: 10 },
      { index: 3, bad: 0.5, total: 5, coveredMs: 5 },
    ]);
  });

  it('keeps a span that comes after a later one', () => {
    const late = addSpan(addSpan(newSeries(10, 6), { at: 40, forMs: 10, good: 0, total: 4 }), {
      at: 20,
      forMs: 10,
      good: 0,
      total: 2,
    });
    assert.deepEqual(
      late.buckets.map(({ index, total }) => [index, total]),
      [
        [1, 2],
        [3, 4],
      ],
    );
    assert.deepEqual(countsIn(late, 40, 2), { bad: 4, total: 4, coveredMs: 10 });
  });

  it('that is moved back with the clock keeps how long ago things were', () => {
    const series = addSpan(newSeries(10, 6), { at: 1000, forMs: 20, good: 10, total: 20 });
    const moved = movedBackTo(series, 500);
    assert.deepEqual(countsIn(moved, 500, 6), { bad: 10, total: 20, coveredMs: 20 });
    assert.deepEqual(countsIn(moved, 540, 6), { bad: 10, total: 20, coveredMs: 20 });
    assert.deepEqual(countsIn(moved, 560, 6), { bad: 0, total: 0, coveredMs: 0 });
    assert.equal(movedBackTo(series, 1000), series);
  });

  it('holds what a sum over all spans in its window says', () => {
    const spans = fc.array(
      fc.record({
        gapMs: fc.nat(400),
        forMs: fc.nat(120),
        total: fc.nat(100),
        bad: fc.nat(100),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 30 }), fc.nat(300), (moves, count, afterMs) => {
        let [series, at] = [newSeries(10, 30), 0];
        const all: { from: number; to: number; bad: number; total: number }[] = [];
        for (const { gapMs, forMs, total, bad } of moves) {
          at += gapMs + forMs;
          const badOnes = Math.min(bad, total);
          series = addSpan(series, { at, forMs, good: total - badOnes, total });
          all.push({ from: at - forMs, to: at, bad: badOnes, total });
        }
        const now = at + afterMs;
        const from = now - spanOf(series, now, count);
        assert.ok(now - from <= count * 10 && now - from > (count - 1) * 10);
        const shareIn = ({ from: a, to: b }: { from: number; to: number }): number =>
          a === b ? (b > from ? 1 : 0) : Math.max(0, b - Math.max(a, from)) / (b - a);
        const sum = (valueOf: (span: (typeof all)[number]) => number): number =>
          all.reduce((total, span) => total + shareIn(span) * valueOf(span), 0);
        const found = countsIn(series, now, count);
        assert.ok(Math.abs(found.bad - sum(({ bad }) => bad)) < 1e-6, `bad ${found.bad}`);
        assert.ok(Math.abs(found.total - sum(({ total }) => total)) < 1e-6, `total ${found.total}`);
        assert.ok(Math.abs(found.coveredMs - sum(({ from: a, to: b }) => b - a)) < 1e-6, `ms ${found.coveredMs}`);
        assert.ok(series.buckets.length <= series.keep);
      }),
      { numRuns: 2000 },
    );
  });
});
