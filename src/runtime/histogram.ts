/**
 * A log-linear histogram of durations: sixteen buckets an octave, from a microsecond to half an hour, so that any
 * percentile is right to about 3 %. Workers fill one, the daemon merges and reads them.
 *
 * Recording is a few integer operations on a `Uint32Array`: it happens on every request of every worker.
 */

const SUB_BITS = 4;
const SUB_COUNT = 1 << SUB_BITS;
/** Durations are kept as 31-bit microseconds. */
const LARGEST_US = 2 ** 31 - 1;

export const BUCKET_COUNT = (31 - SUB_BITS + 1) * SUB_COUNT;

/** `[bucket, count, bucket, count, …]` in rising order of bucket: what travels in reports. */
export type SparseHistogram = readonly number[];

export function bucketOf(durationMs: number): number {
  const us = durationMs >= LARGEST_US / 1000 ? LARGEST_US : durationMs > 0 ? (durationMs * 1000) | 0 : 0;
  if (us < SUB_COUNT) return us;
  const octave = 31 - Math.clz32(us);
  return (octave - SUB_BITS + 1) * SUB_COUNT + ((us >>> (octave - SUB_BITS)) & (SUB_COUNT - 1));
}

/** The durations of a bucket: from `fromMs` up to, not including, `toMs`. */
export function boundsOf(bucket: number): { readonly fromMs: number; readonly toMs: number } {
  if (bucket < SUB_COUNT) return { fromMs: bucket / 1000, toMs: (bucket + 1) / 1000 };
  const widthUs = 2 ** (Math.floor(bucket / SUB_COUNT) - 1);
  const fromUs = (SUB_COUNT + (bucket % SUB_COUNT)) * widthUs;
  return { fromMs: fromUs / 1000, toMs: (fromUs + widthUs) / 1000 };
}

export class Histogram {
  readonly #counts = new Uint32Array(BUCKET_COUNT);

  record(durationMs: number): void {
    const bucket = bucketOf(durationMs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  add(other: Histogram): void {
    const from = other.#counts;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (from[bucket] ?? 0);
  }

  clear(): void {
    this.#counts.fill(0);
  }

  toSparse(): number[] {
    const sparse: number[] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) sparse.push(bucket, count);
    });
    return sparse;
  }
}

export function mergeHistograms(histograms: Iterable<SparseHistogram>): number[] {
  const counts = new Map<number, number>();
  for (const histogram of histograms) {
    for (const [bucket, count] of entries(histogram)) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return gather(counts);
}

/** What was recorded between two readings of one worker's histogram. Never negative. */
export function subtractHistogram(later: SparseHistogram, earlier: SparseHistogram): number[] {
  const counts = new Map(entries(later));
  for (const [bucket, count] of entries(earlier)) counts.set(bucket, (counts.get(bucket) ?? 0) - count);
  return gather(counts);
}

export function countOf(histogram: SparseHistogram): number {
  let total = 0;
  for (const [, count] of entries(histogram)) total += count;
  return total;
}

/** The duration below which a share `q` (0–1) lies, in milliseconds: the middle of its bucket. Null when empty. */
export function percentile(histogram: SparseHistogram, q: number): number | null {
  const total = countOf(histogram);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [bucket, count] of entries(histogram)) {
    seen += count;
    if (seen >= rank) {
      const { fromMs, toMs } = boundsOf(bucket);
      return (fromMs + toMs) / 2;
    }
  }
  return null;
}

function* entries(histogram: SparseHistogram): Generator<readonly [bucket: number, count: number]> {
  for (let at = 0; at + 1 < histogram.length; at += 2) yield [histogram[at] ?? 0, histogram[at + 1] ?? 0];
}

function gather(counts: ReadonlyMap<number, number>): number[] {
  return [...counts]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => a - b)
    .flat();
}
