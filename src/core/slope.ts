/**
 * A robust slope through points: the median of the slopes of all pairs, which a third of wild points does not move.
 * Theil (1950), Sen (1968): "Estimates of the Regression Coefficient Based on Kendall's Tau", J. Am. Stat. Assoc. 63, whose
 * confidence interval this is: ranks of the sorted slopes, from the variance of Kendall's S.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Slope {
  readonly slope: number;
  /** The interval that holds the slope with the confidence that was asked for. */
  readonly low: number;
  readonly high: number;
  /** Of all pairs. Where even the least is above 0, every point is higher than the one before: by chance once in n! times. */
  readonly least: number;
  readonly greatest: number;
}

/**
 * The slope of y over x and its interval, `deviations` standard deviations to each side (2.58: 99 %). Pairs of one x are
 * left out. Null with fewer than three points, or where no pair is left. Takes the square of the number of points.
 */
export const theilSen = (points: readonly Point[], deviations: number): Slope | null => {
  const n = points.length;
  const found = new Float64Array((n * (n - 1)) / 2);
  let count = 0;
  for (let left = 0; left < n; left++) {
    const { x, y } = points[left]!;
    for (let right = left + 1; right < n; right++) {
      const run = points[right]!.x - x;
      if (run !== 0) found[count++] = (points[right]!.y - y) / run;
    }
  }
  if (n < 3 || count === 0) return null;
  // By number, and without a call for each comparison.
  const slopes = found.subarray(0, count).sort();
  const middle = slopes.length / 2;
  const slope = (slopes[Math.ceil(middle) - 1]! + slopes[Math.floor(middle)]!) / 2;
  const spread = deviations * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  // The M1-th smallest and the (M2 + 1)-th smallest, as Sen counts them.
  const lowRank = Math.floor((slopes.length - spread) / 2) - 1;
  const highRank = Math.ceil((slopes.length + spread) / 2);
  return {
    slope,
    low: lowRank < 0 ? Number.NEGATIVE_INFINITY : slopes[lowRank]!,
    high: highRank >= slopes.length ? Number.POSITIVE_INFINITY : slopes[highRank]!,
    least: slopes[0]!,
    greatest: slopes.at(-1)!,
  };
};
