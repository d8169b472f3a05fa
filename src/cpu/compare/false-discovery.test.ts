import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { falseDiscoveryRates } from './false-discovery.ts';

const rounded = (values: readonly number[]): number[] => values.map((value) => Number(value.toFixed(6)));

describe('false-discovery rates', () => {
  it('are those of Benjamini and Hochberg with equal weights', () => {
    // p.adjust(c(0.01, 0.02, 0.03, 0.5), 'BH') of R.
    assert.deepEqual(rounded(falseDiscoveryRates([0.01, 0.5, 0.02, 0.03], [1, 1, 1, 1])), [0.04, 0.5, 0.04, 0.04]);
    assert.deepEqual(rounded(falseDiscoveryRates([0.001, 0.04, 0.9], [7, 7, 7])), [0.003, 0.06, 0.9]);
  });

  it('give a heavier function what they take from lighter ones', () => {
    const [heavy = 1, light = 1] = falseDiscoveryRates([0.02, 0.02, 0.9, 0.9], [3, 1, 1, 1]);
    assert.ok(heavy < 0.041 && light > 0.05, `${heavy}, ${light}`);
  });

  it('never report a function without weight, nor anything of nothing', () => {
    assert.deepEqual(falseDiscoveryRates([1e-9, 0.5], [0, 1]), [1, 0.5]);
    assert.deepEqual(falseDiscoveryRates([], []), []);
  });
});
