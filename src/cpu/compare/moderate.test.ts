import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../../test/support/random.ts';
import { fitModeration, moderate } from './moderate.ts';

/** A variance estimated with `freedom` degrees, of a true one of `scale`. */
function estimate(scale: number, freedom: number, random: () => number): number {
  let sum = 0;
  for (let at = 0; at < freedom; at++)
    sum += (Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())) ** 2;
  return (scale * sum) / freedom;
}

describe('moderated variances', () => {
  it('find back the common distribution that they were drawn from', () => {
    const random = seeded(2);
    // Inverse chi-squared with 4 degrees and scale 0.01, each estimated with 8.
    const variances = Array.from({ length: 3000 }, () => estimate(0.01 / estimate(1, 4, random), 8, random));
    const guesses = variances.map(() => 0.02);
    const { scale, priorFreedom } = fitModeration(variances, guesses, 8);
    assert.ok(Math.abs(priorFreedom - 4) < 0.6, `${priorFreedom} degrees`);
    assert.ok(Math.abs(scale - 0.5) < 0.05, `${scale} of the guess`);
  });

  it('count the others for much where all are alike, and for little where they are not', () => {
    const random = seeded(3);
    const alike = Array.from({ length: 200 }, () => estimate(0.01, 4, random));
    const apart = alike.map((variance, at) => variance * 10 ** (at % 5));
    const guesses = alike.map(() => 0.01);
    assert.equal(fitModeration(alike, guesses, 4).priorFreedom, 6);
    assert.ok(fitModeration(apart, guesses, 4).priorFreedom < 1);
    assert.equal(fitModeration(alike.slice(0, 2), [1, 1], 4).priorFreedom, 0);
  });

  it('lie between what was seen and what was to be expected', () => {
    const fit = { scale: 2, priorFreedom: 4 };
    assert.ok(Math.abs(moderate(0.01, 0.02, 4, fit) - 0.025) < 1e-12);
    assert.equal(moderate(0.01, 0.02, 4, { scale: 2, priorFreedom: 0 }), 0.01);
  });
});
