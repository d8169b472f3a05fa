import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../../test/support/random.ts';
import { Factors, fitDifference } from './factors.ts';

const sides = Float64Array.from({ length: 12 }, (_, at) => (at < 6 ? 0 : 1));

function noise(random: () => number, size: number): Float64Array {
  return Float64Array.from({ length: sides.length }, () => size * (random() - 0.5));
}

describe('factors of windows', () => {
  it('follow what the other functions do together, up to sign and size', () => {
    const random = seeded(4);
    const score = noise(random, 1);
    const values = Array.from({ length: 10 }, (_, which) =>
      noise(random, 0.02).map((one, at) => one + (which - 5.5) * (score[at] ?? 0)),
    );
    const residuals = values.map((value) => fitDifference(value, sides, []).residuals);
    const factors = new Factors({ values, residuals, scales: values.map(() => 1), without: new Set() });
    for (const at of values.keys()) {
      const found = fitDifference(score, sides, factors.scoresFor(at, 1)).residuals;
      assert.ok(Math.max(...found.map(Math.abs)) < 0.03, 'nothing of the score is left');
    }
  });

  it('take nothing from the function that they are for, nor from one that is left out', () => {
    const random = seeded(5);
    const values = Array.from({ length: 6 }, () => noise(random, 1));
    const scoresWith = (loud: number, without: ReadonlySet<number>, at: number): Float64Array | undefined => {
      const all = values.map((value, which) => (which === loud ? value.map((one) => 100 * one) : value));
      const residuals = all.map((value) => fitDifference(value, sides, []).residuals);
      return new Factors({ values: all, residuals, scales: all.map(() => 1), without }).scoresFor(at, 1)[0];
    };
    const rounded = (scores: Float64Array | undefined): string[] => [...(scores ?? [])].map((one) => one.toFixed(6));
    assert.deepEqual(rounded(scoresWith(2, new Set(), 2)), rounded(scoresWith(-1, new Set(), 2)));
    assert.deepEqual(rounded(scoresWith(2, new Set([2]), 4)), rounded(scoresWith(-1, new Set([2]), 4)));
    assert.notDeepEqual(rounded(scoresWith(2, new Set(), 4)), rounded(scoresWith(-1, new Set(), 4)));
  });
});

describe('the difference of two sides', () => {
  it('is that of the means without factors, and what they do not explain with them', () => {
    const factor = Float64Array.from({ length: 12 }, (_, at) => (at * 7) % 5);
    const plain = sides.map((side, at) => 3 + 0.5 * side + (at % 2 === 0 ? 0.1 : -0.1));
    assert.ok(Math.abs(fitDifference(plain, sides, []).difference - 0.5) < 1e-12);
    const moved = plain.map((one, at) => one + 4 * (factor[at] ?? 0));
    const fit = fitDifference(moved, sides, [factor]);
    assert.ok(Math.abs(fit.difference - fitDifference(plain, sides, [factor]).difference) < 1e-9);
    assert.equal(fit.freedom, 9);
  });
});
