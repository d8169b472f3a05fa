import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { criticalT, digamma, inverseTrigamma, logGamma, trigamma, twoSidedP } from './distributions.ts';

const isNear = (actual: number, expected: number, digits: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= 10 ** -digits * Math.max(Math.abs(expected), 1e-300),
    `${actual} is not ${expected}`,
  );

describe('special functions', () => {
  // The expected values are those of SciPy 1.17: 2 * stats.t.sf(t, df), special.digamma, special.polygamma(1, x), gammaln.
  it('know the tails of Student’s t', () => {
    const rows = [
      [2, 18, 0.060821465669332435],
      [3.5, 18, 0.0025567273667714855],
      [10, 5, 0.00017094757574296363],
      [0.1, 2, 0.9294654384141402],
      [40, 8, 1.6785718879145792e-10],
    ] as const;
    for (const [t, freedom, p] of rows) isNear(twoSidedP(t, freedom), p, 10);
  });

  it('become the normal distribution with many degrees of freedom', () => {
    isNear(twoSidedP(1, Number.POSITIVE_INFINITY), 0.31731050786291415, 10);
    isNear(twoSidedP(4, Number.POSITIVE_INFINITY), 6.334248366623973e-5, 10);
    isNear(twoSidedP(8, Number.POSITIVE_INFINITY), 1.2441921148543572e-15, 8);
    assert.equal(twoSidedP(0, 5), 1);
    assert.equal(twoSidedP(Number.NaN, 5), 1);
  });

  it('know digamma, trigamma and the logarithm of gamma', () => {
    const rows = [
      [0.1, -10.423754940411076, 101.43329915079275, 2.252712651734206],
      [0.5, -1.9635100260214235, 4.93480220054468, 0.5723649429247],
      [3, 0.9227843350984671, 0.39493406684822646, 0.6931471805599453],
      [25, 3.198742512851974, 0.04081066325722558, 54.78472939811232],
    ] as const;
    for (const [x, first, second, log] of rows) {
      isNear(digamma(x), first, 10);
      isNear(trigamma(x), second, 10);
      isNear(logGamma(x), log, 10);
    }
  });

  it('find back what went in', () => {
    const positive = fc.double({ min: 0.02, max: 500, noNaN: true });
    fc.assert(
      fc.property(positive, (x) => isNear(inverseTrigamma(trigamma(x)), x, 6)),
      { seed: 3, numRuns: 200 },
    );
    const p = fc.double({ min: 1e-9, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(p, fc.integer({ min: 1, max: 400 }), (value, freedom) =>
        isNear(twoSidedP(criticalT(value, freedom), freedom), value, 6),
      ),
      { seed: 3, numRuns: 200 },
    );
  });
});
