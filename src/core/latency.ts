/**
 * Reading the latency histograms that workers report: differences, sums, quantiles. The layout is that of
 * `runtime/histogram.ts` (sixteen buckets an octave of microseconds), which this room cannot import; a test holds the two
 * together. Refuses to record: that happens in the workers.
 */

/** `[bucket, count, bucket, count, …]` in rising order of bucket. */
export type SparseLatency = readonly number[];

const SUB_COUNT = 16;

/** The middle of a bucket, milliseconds. */
export const middleMs = (bucket: number): number => {
  if (bucket < SUB_COUNT) return (bucket + 0.5) / 1000;
  const widthUs = 2 ** (Math.floor(bucket / SUB_COUNT) - 1);
  return ((SUB_COUNT + (bucket % SUB_COUNT) + 0.5) * widthUs) / 1000;
};

/** What was recorded between two readings of one worker; never negative. */
export const latencySince = (later: SparseLatency, earlier: SparseLatency): number[] => {
  const before = new Map<number, number>();
  for (let at = 0; at + 1 < earlier.length; at += 2) before.set(earlier[at]!, earlier[at + 1]!);
  const difference: number[] = [];
  for (let at = 0; at + 1 < later.length; at += 2) {
    const count = later[at + 1]! - (before.get(later[at]!) ?? 0);
    if (count > 0) difference.push(later[at]!, count);
  }
  return difference;
};

/** Values and how often each was seen; a sample whose order statistics are wanted. */
export interface Weighed {
  readonly value: number;
  readonly count: number;
}

export const weighLatency = (latency: SparseLatency): Weighed[] => {
  const weighed: Weighed[] = [];
  for (let at = 0; at + 1 < latency.length; at += 2) {
    weighed.push({ value: middleMs(latency[at]!), count: latency[at + 1]! });
  }
  return weighed;
};

export const countOf = (sample: readonly Weighed[]): number => sample.reduce((sum, { count }) => sum + count, 0);

/** The smallest value that at least a share `q` (0–1) does not exceed; null when empty. Any order. */
export const quantileOf = (sample: readonly Weighed[], q: number): number | null => {
  const total = countOf(sample);
  if (total === 0) return null;
  const sorted = [...sample].sort((a, b) => a.value - b.value);
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const { value, count } of sorted) {
    seen += count;
    if (seen >= rank) return value;
  }
  return sorted.at(-1)!.value;
};

/** The lower of the two middle ones where they are even in number; null when empty. */
export const lowerMedian = (values: readonly number[]): number | null =>
  values.length === 0 ? null : [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
