/** When an attempt that failed is made again: later each time, and not by all at once. */

export interface RetryPolicy {
  readonly firstMs: number;
  readonly mostMs: number;
  /** In all; the last one that fails makes a dead letter. */
  readonly attempts: number;
}

/** About half an hour in all: long enough for the restart of a receiver, short enough for the alert to be worth telling. */
export const DEFAULT_RETRY: RetryPolicy = { firstMs: 1_000, mostMs: 300_000, attempts: 16 };

/**
 * Milliseconds until the next attempt after `attempts` that failed, or null: there is none. Doubles up to a cap; half of it is
 * by chance ("equal jitter", AWS Architecture Blog, "Exponential Backoff And Jitter"), and never less than the receiver asked for.
 * `random` is at least 0 and below 1.
 */
export const nextAttemptMs = (
  attempts: number,
  retryAfterMs: number | null,
  random: number,
  { firstMs, mostMs, attempts: most }: RetryPolicy,
): number | null => {
  if (attempts >= most) return null;
  const wholeMs = Math.min(mostMs, firstMs * 2 ** Math.max(0, attempts - 1));
  return Math.max(retryAfterMs ?? 0, wholeMs / 2 + (random * wholeMs) / 2);
};
