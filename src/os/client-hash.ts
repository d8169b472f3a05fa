/**
 * How a client's address becomes a bucket of the sticky table. The two BPF programs compute the same in the kernel, so
 * that a client keeps its worker when the dispatch level changes.
 */

/** Buckets are the low bits of the hash. */
export const STICKY_BUCKETS = 256;

/** Multipliers and shifts of a 32-bit integer mix in which every input bit reaches every output bit. */
export const MIX = { shifts: [16, 15, 16], multipliers: [0x7feb352d, 0x846ca68b] } as const;

/** The bucket of a client, given the 32-bit words of its address in order. */
export function stickyBucket(words: readonly number[]): number {
  let hash = words.reduce((all, word) => all ^ word, 0) >>> 0;
  hash ^= hash >>> MIX.shifts[0];
  hash = Math.imul(hash, MIX.multipliers[0]) >>> 0;
  hash ^= hash >>> MIX.shifts[1];
  hash = Math.imul(hash, MIX.multipliers[1]) >>> 0;
  hash ^= hash >>> MIX.shifts[2];
  return (hash >>> 0) % STICKY_BUCKETS;
}
