/** The histogram as workers record it, for tests of the rooms that may not import `runtime/` and read it all the same. */
import { boundsOf, Histogram, subtractHistogram } from '../../src/runtime/index.ts';

export const recordAll = (durationsMs: readonly number[]): number[] => {
  const histogram = new Histogram();
  for (const durationMs of durationsMs) histogram.record(durationMs);
  return histogram.toSparse();
};

export const readMiddle = (bucket: number): number => {
  const { fromMs, toMs } = boundsOf(bucket);
  return (fromMs + toMs) / 2;
};

export const subtract = subtractHistogram;
