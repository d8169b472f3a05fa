/**
 * What the growth of one place proves. A leak grows with the load and keeps what it got: as much in the second step as in
 * the first, and what came in the first step is still there after the second. What fills up, slows down; what is replaced,
 * does not last; what is noise, is little. The numbers are bounds between these, not the corpus's.
 */
import type { StepGrowth } from '../compare/growth.ts';

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
/** Where each of several holders gained fewer entries than that, all of them together have to gain so many bytes. */
const LEAST_SPREAD_BYTES = 16 * 1024;
/** Bytes that a single growing object (a string, the elements of an array) has to gain a step, or each of several in the mean. */
const LEAST_BYTES = 1024;
/** A chain has at least so many objects for each of its beginnings. */
const LINKS_PER_ENTRY = 20;
/** A step's growth by fewer objects than the least that has to be taken seriously all the same. */
const LARGE_BYTES = 256 * 1024;
/** Up to so many objects are one thing made anew, with its parts. */
const FEW_OBJECTS = 8;
/** Of all that is new, the part by which it has to be more than what it replaced. */
const LEAST_PART = 0.15;
/** The last step's growth against the first one's, from where on it is no longer slowing down. */
const LEAST_RATIO = 0.6;
/** Of the net growth of the first step, the share that has to be there still after the second. */
const LEAST_SURVIVAL = 0.5;

/** What else is known of a place. */
export interface Circumstances {
  /** Held by the runtime and without any function of the program: asks for more. */
  readonly isRemote: boolean;
  /** What grew is the storage of a collection, which grows by leaps. */
  readonly isStorage: boolean;
  /** How many objects of one place gained: the lists of several rooms, the windows of several counters. */
  readonly holders: number;
}

/** Over two steps. */
export function assessPlace(steps: readonly StepGrowth[], { isRemote, isStorage, holders }: Circumstances): Assessment {
  const [first, last] = steps as [StepGrowth, StepGrowth];
  const least = isRemote ? 3 * LEAST_ENTRIES : LEAST_ENTRIES;
  // A list or a chain has one entry, the first, however long it gets.
  const isChain = last.entries < least && last.count >= Math.max(least, LINKS_PER_ENTRY * last.entries);
  if (last.entries < least && !isChain && last.entries > 1) return assessFew(first, last);
  if (last.entries < least && !isChain) return assessBytes(first, last, { isRemote, isStorage, holders });
  const before = isChain ? first.count : first.entries;
  const after = isChain ? last.count : last.entries;
  // Windows of time that fill, one for each of a few counters, look so.
  if (after < LEAST_ENTRIES * holders && last.bytes < LEAST_SPREAD_BYTES) return LITTLE;
  if (before < least / 2) return { evidence: 'once', confidence: 0.5 };
  const ratio = after / before;
  if (ratio < LEAST_RATIO) return { evidence: 'settles', confidence: Math.min(0.95, 1.2 - ratio) };
  if (first.survivors < LEAST_SURVIVAL * Math.min(first.count, last.count)) {
    return { evidence: 'turns-over', confidence: 0.8 };
  }
  return { evidence: 'grows', confidence: sureness(ratio, after / least) };
}

/** A few objects more are what pools and caches vary by, unless they are very large. */
function assessFew(first: StepGrowth, last: StepGrowth): Assessment {
  if (last.bytes < LARGE_BYTES) return LITTLE;
  const ratio = last.bytes / Math.max(1, first.bytes);
  if (ratio < 0.75 || ratio > 1.34) return { evidence: ratio < 1 ? 'settles' : 'once', confidence: 0.6 };
  if (first.survivors < LEAST_SURVIVAL * Math.min(first.count, last.count)) {
    return { evidence: 'turns-over', confidence: 0.7 };
  }
  return { evidence: 'grows', confidence: 0.7 };
}

/**
 * No more objects, but larger ones: a string, a buffer, the elements of an array of numbers. Where many objects were
 * replaced, the new ones may be a little larger by chance, so the growth has to be a good part of them; and a single
 * value that is overwritten has any size, so it has to grow evenly.
 */
function assessBytes(first: StepGrowth, last: StepGrowth, { isRemote, isStorage, holders }: Circumstances): Assessment {
  const least = LEAST_BYTES * Math.max(1, holders) * (isRemote ? 8 : 1);
  if (last.bytes < least) {
    const before = Math.max(first.entries / LEAST_ENTRIES, first.bytes / least);
    return before >= 1 ? { evidence: 'settles', confidence: 0.9 } : LITTLE;
  }
  if (first.bytes < least / 2) return { evidence: 'once', confidence: 0.5 };
  if (last.born > FEW_OBJECTS && last.bytes < LEAST_PART * last.bornBytes) {
    return { evidence: 'turns-over', confidence: 0.8 };
  }
  const ratio = last.bytes / first.bytes;
  if (ratio < (isStorage ? 0.4 : 0.8)) return { evidence: 'settles', confidence: 0.7 };
  if (!isStorage && ratio > 1.25) return { evidence: 'once', confidence: 0.5 };
  return { evidence: 'grows', confidence: sureness(ratio, last.bytes / least) - 0.1 };
}

const sureness = (ratio: number, times: number): number =>
  Math.min(0.99, 0.55 + 0.25 * Math.min(ratio, 1 / ratio) + 0.2 * Math.min(1, Math.log10(1 + times) / 1.5));

const LITTLE: Assessment = { evidence: 'little', confidence: 0.9 };

/** Over one step, which cannot tell a leak from a service that fills its caches: only much growth of one kind counts. */
export function assessOnce(steps: readonly StepGrowth[], share: number): Assessment {
  const last = steps.at(-1) as StepGrowth;
  const amount = Math.max(last.entries, last.count / 4);
  if (amount < 50 && last.bytes < 128 * 1024) return LITTLE;
  if (share < 0.2) return { evidence: 'once', confidence: 0.4 };
  return { evidence: 'grows', confidence: Math.min(0.65, 0.4 + 0.25 * share) };
}
