import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { theilSen } from './slope.ts';
import type { Point } from './slope.ts';

const line = (slope: number, n: number): Point[] => Array.from({ length: n }, (_, x) => ({ x, y: slope * x + 7 }));

describe('a robust slope', () => {
  it('is that of a line, however few points there are', () => {
    assert.deepEqual(theilSen(line(3, 20), 2.58), { slope: 3, low: 3, high: 3, least: 3, greatest: 3 });
    assert.equal(theilSen(line(3, 2), 2.58), null);
    assert.equal(
      theilSen(
        [
          { x: 1, y: 1 },
          { x: 1, y: 2 },
          { x: 1, y: 9 },
        ],
        2.58,
      ),
      null,
    );
    assert.equal(theilSen(line(3, 4), 3)?.low, Number.NEGATIVE_INFINITY, 'four points are sure of nothing');
  });

  it('has the interval that the variance of Kendall’s S gives', () => {
    // n = 10: variance 125, so 1.645 deviations are 18.39 ranks of 45: M1 = 13.3, M2 = 31.7; the 13th and the 33rd slope.
    const points = [9, 15, 19, 20, 45, 55, 78, 90, 80, 110].map((y, x) => ({ x, y }));
    const slopes = points
      .flatMap((left, i) => points.slice(i + 1).map((right) => (right.y - left.y) / (right.x - left.x)))
      .sort((a, b) => a - b);
    const { slope, low, high } = theilSen(points, 1.645)!;
    assert.equal(slope, slopes[22]);
    assert.equal(low, slopes[13 - 1]);
    assert.equal(high, slopes[33 - 1]);
  });

  it('is not moved by a quarter of wild points', () => {
    const wild = fc.array(fc.record({ at: fc.nat(39), y: fc.integer({ min: -1e9, max: 1e9 }) }), { maxLength: 8 });
    fc.assert(
      fc.property(wild, fc.integer({ min: -50, max: 50 }), (outliers, slope) => {
        const points = line(slope, 40);
        for (const { at, y } of outliers) points[at] = { x: at, y };
        assert.equal(theilSen(points, 2.58)?.slope, slope);
      }),
    );
  });

  it('lies within its interval, and scales with y', () => {
    const points = fc.array(fc.record({ x: fc.nat(100), y: fc.integer({ min: -1000, max: 1000 }) }), { maxLength: 25 });
    fc.assert(
      fc.property(points, (some) => {
        const found = theilSen(some, 2);
        if (found === null) return;
        assert.ok(found.low <= found.slope && found.slope <= found.high);
        const doubled = theilSen(
          some.map(({ x, y }) => ({ x, y: 2 * y })),
          2,
        )!;
        const { slope, low, high } = doubled;
        assert.deepEqual([slope, low, high], [2 * found.slope, 2 * found.low, 2 * found.high]);
        assert.ok(found.least <= found.slope && found.slope <= found.greatest);
      }),
    );
  });
});
