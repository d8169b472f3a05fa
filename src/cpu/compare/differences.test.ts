import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../../test/support/random.ts';
import { type Difference, testDifferences } from './differences.ts';

/** What a simulated comparison is made of. Variances are of logarithms. */
interface World {
  /** Of each side. */
  readonly windows: number;
  readonly functions: number;
  readonly ticks: number;
  /** Variance beyond sampling. */
  readonly own: number;
  /** Logarithm by which the first function differs. */
  readonly effect: number;
}

const PLAIN: World = { windows: 8, functions: 20, ticks: 1000, own: 0.002, effect: 0 };

function simulate(world: Partial<World>, random: () => number): readonly Difference[] {
  const { windows, functions, ticks, own, effect } = { ...PLAIN, ...world };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const sides = Float64Array.from({ length: 2 * windows }, (_, at) => (at < windows ? 0 : 1));
  const observations = Array.from({ length: functions }, (_, which) => {
    // Functions differ in how much they vary, as real ones do.
    const spread = Math.sqrt(own * (0.5 + random()));
    const observed = sides.map((side) => {
      const change = side === 1 && which === 0 ? effect : 0;
      const log = spread * normal() + change;
      return ticks * Math.exp(log + normal() / Math.sqrt(ticks));
    });
    const expected = sides.map(() => ticks);
    return {
      observed,
      expected,
      samplingVariance: [1 / ticks, 1 / ticks] as const,
      references: [],
      referenceShare: 0.2,
    };
  });
  const weights = observations.map(() => 1);
  return testDifferences({ sides, observations, weights, inflation: 1 });
}

/** Part of comparisons in which anything is reported at 5 %, and part of all p-values below 5 %. */
function falseRates(world: Partial<World>, comparisons: number): { readonly any: number; readonly below: number } {
  const random = seeded(11);
  let [any, below, all] = [0, 0, 0];
  for (let run = 0; run < comparisons; run++) {
    const tests = simulate(world, random);
    if (tests.some(({ q }) => q <= 0.05)) any += 1;
    below += tests.filter(({ p }) => p <= 0.05).length;
    all += tests.length;
  }
  return { any: any / comparisons, below: below / all };
}

/** Part of comparisons in which the first function is found, and the mean of its estimate. */
function power(world: Partial<World>, comparisons: number): { readonly found: number; readonly mean: number } {
  const random = seeded(12);
  let [found, sum] = [0, 0];
  for (let run = 0; run < comparisons; run++) {
    const [first] = simulate(world, random);
    if (first !== undefined && first.q <= 0.05 && first.log > 0) found += 1;
    sum += first?.log ?? 0;
  }
  return { found: found / comparisons, mean: sum / comparisons };
}

const TENTH = Math.log(1.1);

describe('differences of functions between two sets of windows', () => {
  it('are not seen where there are none, over thousands of comparisons', () => {
    // With 2,000 comparisons the standard error of a rate of 5 % is 0.5 %.
    const { any, below } = falseRates({ windows: 3, functions: 12 }, 2000);
    assert.ok(any <= 0.06, `${any} of comparisons report something`);
    assert.ok(below <= 0.055 && below >= 0.03, `${below} of the p-values are below 5 %`);
  });

  it('are not seen by chance in two windows a side', () => {
    const { any } = falseRates({ windows: 2, functions: 12 }, 500);
    assert.ok(any <= 0.06, `${any} of comparisons report something`);
  });

  it('are found and measured where there are some', () => {
    const { found, mean } = power({ windows: 10, own: 0.001, ticks: 2000, effect: TENTH }, 30);
    assert.ok(found >= 0.9, `found in ${found}`);
    assert.ok(Math.abs(mean - TENTH) < 0.015, `${mean} instead of ${TENTH}`);
  });
});
