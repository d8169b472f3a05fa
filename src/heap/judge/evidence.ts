/**
 * What the growth of one place proves. A leak grows with the load and keeps what it got: as much in the second step as in
 * the first, and what came in the first step is still there after the second. What fills up, slows down; what is replaced,
 * does not last; what is noise, is little. The numbers are bounds between these, not the corpus's.
 */
import type { Place, StepGrowth } from '../compare/growth.ts';

export type Evidence =
  /** Grew in each step, about alike, and lasts. */
  | 'grows'
  /** Grew in the first step, and hardly or not in the last. */
  | 'settles'
  /** More at the end, but what came in the first step has gone since. */
  | 'turns-over'
  /** Grew in the last step only. */
  | 'once'
  /** Too little to mean anything. */
  | 'little';

export interface Assessment {
  readonly evidence: Evidence;
  /** 0 to 1: how sure. */
  readonly confidence: number;
}

/** Fewer entries than this a step are within what a healthy service varies by from one moment to the next. */
const LEAST_ENTRIES = 6;
/** Bytes that a single growing object (a string, the elements of an array) has to gain a step. */
const LEAST_BYTES = 1024;
/** The last step's growth against the first one's, from where on it is no longer slowing down. */
const LEAST_RATIO = 0.6;
/** Of the net growth of the first step, the share that has to be there still after the second. */
const LEAST_SURVIVAL = 0.5;

/** Over two steps. @param isRemote Held by the runtime and without any function of the program: asks for more. */
export function assessPlace({ steps }: Pick<Place, 'steps'>, isRemote: boolean): Assessment {
  const [first, last] = steps as [StepGrowth, StepGrowth];
  const least = isRemote ? 3 * LEAST_ENTRIES : LEAST_ENTRIES;
  // A list or a chain has one entry, the first, however long it gets.
  const isChain = last.entries < least && last.count >= least;
  const isObjects = last.entries >= least || isChain;
  const before = isObjects ? (isChain ? first.count : first.entries) : first.bytes;
  const after = isObjects ? (isChain ? last.count : last.entries) : last.bytes;
  const leastAfter = isObjects ? least : LEAST_BYTES * (isRemote ? 8 : 1);
  if (after < leastAfter) return before >= leastAfter ? { evidence: 'settles', confidence: 0.9 } : LITTLE;
  if (before < leastAfter / 2) return { evidence: 'once', confidence: 0.5 };
  const ratio = after / before;
  if (ratio < LEAST_RATIO) return { evidence: 'settles', confidence: Math.min(0.95, 1.2 - ratio) };
  if (isObjects && first.survivors < LEAST_SURVIVAL * Math.min(first.count, last.count)) {
    return { evidence: 'turns-over', confidence: 0.8 };
  }
  const evenness = Math.min(ratio, 1 / ratio);
  const amount = Math.min(1, Math.log10(1 + after / leastAfter) / 1.5);
  return { evidence: 'grows', confidence: Math.min(0.99, 0.55 + 0.25 * evenness + 0.2 * amount) };
}

const LITTLE: Assessment = { evidence: 'little', confidence: 0.9 };

/** Over one step, which cannot tell a leak from a service that fills its caches: only much growth of one kind counts. */
export function assessOnce({ steps }: Pick<Place, 'steps'>, share: number): Assessment {
  const last = steps.at(-1) as StepGrowth;
  const amount = Math.max(last.entries, last.count / 4);
  if (amount < 50 && last.bytes < 128 * 1024) return LITTLE;
  if (share < 0.2) return { evidence: 'once', confidence: 0.4 };
  return { evidence: 'grows', confidence: Math.min(0.65, 0.4 + 0.25 * share) };
}
