/**
 * Windows of one launch are more alike than windows of two: what was compiled and inlined, where things lie in memory, and
 * the load of that hour. Ten windows of one launch are therefore worth less than ten of five. How much less is one number
 * for all functions, as limma has it for replicate spots (G. K. Smyth, J. Michaud and H. S. Scott, "Use of within-array
 * replicate spots for assessing differential expression in microarray experiments", Bioinformatics 21, 2005).
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
 * Correlation of two windows of one launch, from what the fits left: the intraclass correlation of an analysis of variance
 * that all functions share. 0 where every window is a launch of its own.
 */
export function estimateCorrelation(fits: readonly Fit[], { a, b }: Launches): number {
  const launches = [...a, ...b];
  const windows = launches.reduce((sum, { length }) => sum + length, 0);
  if (windows === launches.length) return 0;
  if (a.length + b.length <= 2) return ASSUMED_CORRELATION;
  // Windows in a launch of middling size, for launches that differ in it (Sokal and Rohlf, Biometry, 1995, box 9.2).
  const size = launches.reduce((sum, { length }) => sum + length * length, 0) / windows;
  const middle = (windows - size) / (launches.length - 1);
  let [outer, outerFreedom, inner, innerFreedom] = [0, 0, 0, 0];
  for (const { residuals, freedom, leftOf } of fits) {
    const all = dot(residuals, residuals);
    if (all === 0) continue;
    let own = 0;
    // The factors follow the launches where these differ; what they took must not be looked for in what is left.
    let ownFreedom = 0;
    for (const launch of launches) {
      const sum = launch.reduce((total, at) => total + (residuals[at] ?? 0), 0);
      own += (sum * sum) / launch.length;
      ownFreedom += leftOf(launch) / launch.length;
    }
    // Each function in units of its own variance, so that those that vary most do not speak for all.
    outer += (own * freedom) / all;
    inner += ((all - own) * freedom) / all;
    outerFreedom += ownFreedom;
    innerFreedom += freedom - ownFreedom;
  }
  if (outerFreedom < 1e-6 || innerFreedom < 1e-6) return ASSUMED_CORRELATION;
  const [meanOuter, meanInner] = [outer / outerFreedom, inner / innerFreedom];
  const correlation = (meanOuter - meanInner) / (meanOuter + (middle - 1) * meanInner);
  return Math.min(Math.max(correlation, 0), MOST_CORRELATION);
}

/** How many windows without any correlation the windows of one side are worth. */
export function effectiveCount(launches: Side, correlation: number): number {
  const count = launches.reduce((sum, { length }) => sum + length, 0);
  const squares = launches.reduce((sum, { length }) => sum + length * length, 0);
  return (count * count) / (correlation * squares + (1 - correlation) * count);
}

/** The variance of one window, from residuals of which some are of the same launch. */
export function varianceOf({ residuals, leftOf, freedom }: Fit, { a, b }: Launches, correlation: number): number {
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
