/**
 * From the log-linear histogram of a worker to the buckets of a page: the boundaries that OpenTelemetry's semantic conventions
 * advise for `http.server.request.duration` (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/).
 *
 * A log-linear bucket that lies across a boundary is counted above it: a share "within 250 ms" is never shown too
 * high, and what is just below a boundary (by less than a sixteenth) may count as above. The sum is that of the middles of
 * buckets, right to about 3 %. Both only rise.
 */
import { BUCKET_COUNT, boundsOf, type SparseHistogram } from '../../runtime/index.ts';

export const LATENCY_BOUNDS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** By log-linear bucket: which boundary it is below; as many as there are boundaries where it is below none. */
const BOUND_OF = Uint8Array.from({ length: BUCKET_COUNT }, (_, bucket) => {
  const { toMs } = boundsOf(bucket);
  const at = LATENCY_BOUNDS_SECONDS.findIndex((bound) => toMs <= bound * 1000 + 1e-9);
  return at < 0 ? LATENCY_BOUNDS_SECONDS.length : at;
});

export interface LatencyBuckets {
  /** As many as {@link LATENCY_BOUNDS_SECONDS}. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** What is no bucket, or no count, is not counted. */
export function toLatencyBuckets(latency: SparseHistogram): LatencyBuckets {
  const counts = Array.from({ length: LATENCY_BOUNDS_SECONDS.length + 1 }, () => 0);
  let sumMs = 0;
  for (let at = 0; at + 1 < latency.length; at += 2) {
    const bucket = latency[at] ?? -1;
    const count = latency[at + 1] ?? 0;
    const bound = BOUND_OF[bucket];
    if (bound === undefined || !(count > 0) || count === Infinity) continue;
    counts[bound] = (counts[bound] ?? 0) + count;
    const { fromMs, toMs } = boundsOf(bucket);
    sumMs += (count * (fromMs + toMs)) / 2;
  }
  let total = 0;
  const cumulative = counts.map((count) => (total += count)).slice(0, -1);
  return { cumulative, count: total, sumSeconds: sumMs / 1000 };
}

/** How many took longer than no more than `thresholdMs`, by the same rule. */
export function countWithin(latency: SparseHistogram, thresholdMs: number): number {
  let within = 0;
  for (let at = 0; at + 1 < latency.length; at += 2) {
    const bucket = latency[at] ?? -1;
    if (bucket >= 0 && bucket < BUCKET_COUNT && boundsOf(bucket).toMs <= thresholdMs + 1e-9)
      within += latency[at + 1] ?? 0;
  }
  return within;
}
