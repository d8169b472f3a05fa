/**
 * How much more one side costs than another, from pairs of measurements that are neighbours in time. A few pairs that a
 * busy machine has spoilt move neither the middle nor its bounds much: both come from the means of every two of the
 * values (Hodges and Lehmann 1963), whose ranks follow from Wilcoxon's signed ranks.
 */

export interface Middle {
  readonly middle: number;
  /** With 95 % the true value is above, and with 95 % it is below. */
  readonly lower: number;
  readonly upper: number;
}

/** Of the normal distribution, one-sided 95 %. */
const QUANTILE = 1.644854;
/** Fewer have no pair of values that the true one lies between with so much certainty. */
export const LEAST_PAIRS = 6;

/** Throws a RangeError for fewer than {@link LEAST_PAIRS} values. */
export function middleOf(values: readonly number[]): Middle {
  const count = values.length;
  if (count < LEAST_PAIRS) throw new RangeError(`${LEAST_PAIRS} values are needed, there are ${count}`);
  const means = values
    .flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2))
    .toSorted((a, b) => a - b);
  const half = means.length / 2;
  const reach = QUANTILE * Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
  const cut = Math.max(0, Math.floor(half - reach) - 1);
  const at = (index: number): number => means[index] ?? Number.NaN;
  return {
    middle: (at(Math.ceil(half) - 1) + at(Math.floor(half))) / 2,
    lower: at(cut),
    upper: at(means.length - 1 - cut),
  };
}
