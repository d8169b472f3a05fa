/** The bounds of paired measurements, on pairs whose true difference is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { middleOf } from '../../bench/paired.ts';
import { seeded } from './random.ts';

/** Differences around `true`, a third of them spoilt in one direction or the other. */
function pairs(random: () => number, truth: number, count: number): number[] {
  return Array.from({ length: count }, () => {
    const noise = (random() + random() + random() - 1.5) * 0.02;
    return truth + noise + (random() < 1 / 3 ? (random() - 0.5) * 0.6 : 0);
  });
}

function percentOf(holds: (middle: ReturnType<typeof middleOf>) => boolean, truth: number, count = 10): number {
  const random = seeded(11);
  let found = 0;
  for (let tried = 0; tried < 1_000; tried += 1) if (holds(middleOf(pairs(random, truth, count)))) found += 1;
  return found / 10;
}

describe('the middle of paired differences', () => {
  it('lies below its upper bound, and above its lower one, in about 95 of 100 runs', () => {
    const [above, below] = [
      percentOf(({ upper }) => upper >= 0.03, 0.03),
      percentOf(({ lower }) => lower <= 0.03, 0.03),
    ];
    for (const percent of [above, below]) assert.ok(percent >= 93 && percent <= 97.5, `${percent} %`);
  });

  it('tells a loss of 8 % from one of at most 5 % in most runs, although some pairs are spoilt', () => {
    const found = percentOf(({ upper }) => upper > 0.05, 0.08);
    assert.ok(found > 99, `${found} %`);
  });

  it('is exact where all pairs are alike', () => {
    assert.deepEqual(middleOf([2, 2, 2, 2, 2, 2]), { middle: 2, lower: 2, upper: 2 });
  });

  it('has the ranks of the tables for ten pairs: the bounds are the 11th of 55 means from either end', () => {
    const values = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    const means = values.flatMap((a, at) => values.slice(at).map((b) => (a + b) / 2)).toSorted((a, b) => a - b);
    assert.deepEqual(middleOf(values), { middle: means[27], lower: means[10], upper: means[44] });
  });

  it('refuses fewer pairs than bounds can be had from', () => {
    assert.throws(() => middleOf([1, 2, 3, 4, 5]), RangeError);
  });
});
