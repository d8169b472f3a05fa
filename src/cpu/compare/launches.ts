/**
 * Windows of one launch are more alike than windows of two: what was compiled and inlined, where things lie in memory, and
 * the load of that hour. Ten windows of one launch are therefore worth less than ten of five. How much less is one number
 * for all functions, as limma's duplicateCorrelation has it for replicate spots (G. K. Smyth, J. Michaud and H. S. Scott,
 * Bioinformatics 21, 2005).
 */
import { dot, type Fit } from './factors.ts';
import type { Column } from './table.ts';

/** The windows of one side, by launch: indices into the columns. */
type Side = readonly (readonly number[])[];

export interface Launches {
  readonly a: Side;
  readonly b: Side;
  readonly isKnown: boolean;
}

/**
 * Correlation that is assumed where it cannot be seen, because each side is of one launch. Measured: the median over
 * functions of a recorded service (docs/internals/cpu-diff.md).
 */
const ASSUMED_CORRELATION = 0.2;
const MOST_CORRELATION = 0.9;

export function groupLaunches(columns: readonly Column[]): Launches {
  const ofSide = (side: 0 | 1): Side => {
    const launches = new Map<string, number[]>();
    for (const [at, column] of columns.entries()) {
      if (column.side !== side) continue;
      const name = column.window.launch ?? `window ${at}`;
      launches.set(name, [...(launches.get(name) ?? []), at]);
    }
    return [...launches.values()];
  };
  return { a: ofSide(0), b: ofSide(1), isKnown: columns.some(({ window }) => window.launch !== null) };
}

/**
 * Correlation of two windows of one launch, from each function's values less the mean of its side: the trimmed mean of the
 * functions' intraclass correlations, in Fisher's scale. 0 where every window is a launch of its own.
 */
export function estimateCorrelation(residuals: readonly Float64Array[], { a, b }: Launches): number {
  const launches = [...a, ...b];
  const windows = launches.reduce((sum, { length }) => sum + length, 0);
  if (windows === launches.length) return 0;
  const between = launches.length - 2;
  const within = windows - launches.length;
  if (between < 1) return ASSUMED_CORRELATION;
  // Windows in a launch of middling size, for launches that differ in it (Sokal and Rohlf, Biometry, 1995, box 9.2).
  const size = launches.reduce((sum, { length }) => sum + length * length, 0) / windows;
  const middle = (windows - size) / (launches.length - 1);
  const scaled = residuals.map((values) => {
    let [outer, inner] = [0, 0];
    for (const launch of launches) {
      const mean = launch.reduce((sum, at) => sum + (values[at] ?? 0), 0) / launch.length;
      outer += launch.length * mean * mean;
      for (const at of launch) inner += ((values[at] ?? 0) - mean) ** 2;
    }
    const [meanOuter, meanInner] = [outer / between, inner / within];
    const correlation = (meanOuter - meanInner) / (meanOuter + (middle - 1) * meanInner);
    return Math.atanh(Math.min(Math.max(correlation || 0, -0.95), 0.95));
  });
  const sorted = scaled.toSorted((x, y) => x - y);
  const trim = Math.floor(0.15 * sorted.length);
  const kept = sorted.slice(trim, sorted.length - trim);
  const mean = kept.reduce((sum, value) => sum + value, 0) / Math.max(kept.length, 1);
  return Math.min(Math.max(Math.tanh(mean), 0), MOST_CORRELATION);
}

/** How many windows without any correlation the windows of one side are worth. */
export function effectiveCount(launches: Side, correlation: number): number {
  const count = launches.reduce((sum, { length }) => sum + length, 0);
  const squares = launches.reduce((sum, { length }) => sum + length * length, 0);
  return (count * count) / (correlation * squares + (1 - correlation) * count);
}

/** The variance of one window, from residuals of which some are of the same launch. */
export function varianceOf(
  { residuals, leftOf }: Fit,
  { a, b }: Launches,
  correlation: number,
  freedom: number,
): number {
  const together = [...a, ...b].reduce((sum, launch) => sum + leftOf(launch), 0);
  const expected = (1 - correlation) * freedom + correlation * together;
  return expected <= 0 ? 0 : dot(residuals, residuals) / expected;
}

/** The variance of a sum of windows, in variances of one window. */
export function contrastVariance(contrast: Float64Array, { a, b }: Launches, correlation: number): number {
  const together = [...a, ...b].reduce((sum, launch) => {
    const part = launch.reduce((total, at) => total + (contrast[at] ?? 0), 0);
    return sum + part * part;
  }, 0);
  return (1 - correlation) * dot(contrast, contrast) + correlation * together;
}
