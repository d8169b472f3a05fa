/**
 * The slope of a noisy series, with an interval that is right when neighbours in time resemble each other, as memory's do.
 *
 * The slope is the median of the slopes of all pairs of points (Theil 1950), which a few high or low points do not move.
 * Its interval lies between two of those slopes, whose ranks follow from the variance of Kendall's S (Sen 1968,
 * "Estimates of the regression coefficient based on Kendall's tau"). That variance holds for independent points; for
 * others it is multiplied as Hamed and Rao found (1998, "A modified Mann-Kendall trend test for autocorrelated data"),
 * from the autocorrelations of the ranks of what is left after the slope is taken away. They are taken to fall off
 * geometrically from that of neighbours, which is corrected for being too low in short series (Marriott and Pope 1954):
 * single autocorrelations of some dozens of points are too rough. Of 100 series of 26 points with autocorrelation 0.5,
 * of which 95 should have covered the true slope, theirs covered 82, a block bootstrap 76, this 92 (see `slope.test.ts`).
 */

export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Slope {
  /** Units of `value` per unit of `at`. */
  readonly slope: number;
  /** Between these the true slope lies with 95 %. */
  readonly low: number;
  readonly high: number;
  /** Of neighbours, 0 to {@link MOST_ALIKE}: what the interval was widened for. */
  readonly autocorrelation: number;
}

/** Of the normal distribution, two-sided 95 %. */
const QUANTILE = 1.959964;
/** Beyond it a series is a random walk, about whose slope nothing can be said. */
const MOST_ALIKE = 0.95;
export const LEAST_POINTS = 6;

/** Throws a RangeError for fewer than {@link LEAST_POINTS} points. Points are in order of time, about equally far apart. */
export function estimateSlope(points: readonly Point[]): Slope {
  const count = points.length;
  if (count < LEAST_POINTS) throw new RangeError(`a slope needs ${LEAST_POINTS} points, there are ${count}`);
  const slopes = listSlopes(points);
  const slope = middleOf(slopes);
  const autocorrelation = alikeness(points.map(({ at, value }) => value - slope * at));
  const variance = ((count * (count - 1) * (2 * count + 5)) / 18) * inflation(count, autocorrelation);
  const reach = QUANTILE * Math.sqrt(variance);
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, rank))] ?? Number.NaN;
  return {
    slope,
    low: at(Math.floor((slopes.length - reach) / 2)),
    high: at(Math.ceil((slopes.length + reach) / 2)),
    autocorrelation,
  };
}

/** The middle one, or the mean of the two in the middle, of values in order. */
export function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Of every pair of points, in order of size. */
function listSlopes(points: readonly Point[]): Float64Array {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let next = 0;
  for (const [index, first] of points.entries()) {
    for (const second of points.slice(index + 1)) {
      slopes[next] = (second.value - first.value) / (second.at - first.at);
      next += 1;
    }
  }
  return slopes.sort();
}

/** How much neighbours resemble each other: the autocorrelation of their ranks, corrected for the length of the series. */
function alikeness(values: readonly number[]): number {
  const ranks = ranksOf(values);
  const mean = (ranks.length + 1) / 2;
  let own = 0;
  let common = 0;
  for (const [index, rank] of ranks.entries()) {
    own += (rank - mean) ** 2;
    if (index > 0) common += (rank - mean) * ((ranks[index - 1] ?? mean) - mean);
  }
  if (own === 0) return 0;
  // Without its trend a series of n points shows about φ − (2 + 4φ)/n for a true φ.
  const corrected = (ranks.length * (common / own) + 2) / (ranks.length - 4);
  return Math.min(MOST_ALIKE, Math.max(0, corrected));
}

/** Equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks: number[] = [];
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to += 1;
    for (const index of order.slice(from, to)) ranks[index] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** By how much the variance of Kendall's S is larger than for independent points. */
function inflation(count: number, autocorrelation: number): number {
  let sum = 0;
  for (let lag = 1; lag < count - 2; lag += 1) {
    sum += (count - lag) * (count - lag - 1) * (count - lag - 2) * autocorrelation ** lag;
  }
  return 1 + (2 / (count * (count - 1) * (count - 2))) * sum;
}
