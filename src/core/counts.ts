/**
 * Good and bad events over time: what a rolling window holds, in buckets of equal length. Pure and immutable.
 *
 * A span of counts is spread evenly over the buckets that it touches, so that what came late (a worker's counters after the
 * daemon was away) lies where it belongs. Time that nobody observed is not there at all, which is something else than time in
 * which nothing happened: `coveredMs` tells them apart.
 *
 * Refuses counts that are no numbers or below zero; it never guesses what was not observed.
 */

/** Counters as they stand: they only grow, until their owner starts again. */
export interface Counters {
  readonly good: number;
  readonly total: number;
}

/** What has been counted in the `forMs` before `at`. */
export interface CountSpan extends Counters {
  readonly at: number;
  readonly forMs: number;
}

export interface CountBucket {
  /** Its time is from `index * bucketMs` to `(index + 1) * bucketMs`. */
  readonly index: number;
  readonly bad: number;
  readonly total: number;
  readonly coveredMs: number;
}

export interface CountSeries {
  readonly bucketMs: number;
  /** How many buckets, the present one included, it looks back. */
  readonly keep: number;
  /** In order; those of times that nobody observed are missing. */
  readonly buckets: readonly CountBucket[];
}

/** The sum of the buckets of a window. */
export interface WindowCounts {
  readonly bad: number;
  readonly total: number;
  readonly coveredMs: number;
}

export const newSeries = (bucketMs: number, keep: number): CountSeries => ({ bucketMs, keep, buckets: [] });

/**
 * What was counted between two looks at the same counters. A counter that is lower than before has begun again at 0, so all
 * that it shows is new, and what it had counted between the last look and its end is lost: as PromQL's `increase` has it. Null
 * where there is nothing to compare with, or where no number is told.
 */
export const countsBetween = (before: Counters | null, now: Counters): Counters | null => {
  if (before === null || !isCount(now.good) || !isCount(now.total)) return null;
  const [good, total] = [now.good - before.good, now.total - before.total];
  // Bad events only grow as well, so there are never more good ones than there are new ones.
  const hasBegunAgain = total < 0 || good < 0 || good > total;
  return hasBegunAgain ? now : { good, total };
};

/** Both are numbers of events: finite and not below 0. */
export const isUsable = ({ at, forMs, good, total }: CountSpan): boolean =>
  Number.isFinite(at) && isCount(forMs) && isCount(good) && isCount(total);

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** The series with one more span in it. More good events than events are as many as there are events. */
export const addSpan = (series: CountSeries, span: CountSpan): CountSeries => {
  const { bucketMs, keep } = series;
  const { at, forMs, total } = span;
  const bad = Math.max(0, total - span.good);
  const last = indexAt(at, bucketMs);
  const first = Math.max(last - keep + 1, forMs === 0 ? last : indexAt(at - forMs, bucketMs));
  const buckets = withoutExpired(series, last);
  for (let index = first; index <= last; index++) {
    const startsAt = Math.max(at - forMs, index * bucketMs);
    const endsAt = Math.min(at, (index + 1) * bucketMs);
    const coveredMs = Math.max(0, endsAt - startsAt);
    if (coveredMs === 0 && forMs > 0) continue;
    const share = forMs === 0 ? 1 : coveredMs / forMs;
    addToBucket(buckets, { index, bad: bad * share, total: total * share, coveredMs });
  }
  return { ...series, buckets };
};

/** The moment between two buckets belongs to the one before: spans and windows end with it. */
const indexAt = (at: number, bucketMs: number): number => {
  const index = Math.floor(at / bucketMs);
  return index * bucketMs === at ? index - 1 : index;
};

const withoutExpired = ({ buckets, keep }: CountSeries, last: number): CountBucket[] => {
  const from = buckets.findIndex(({ index }) => index > last - keep);
  return from === -1 ? [] : buckets.slice(from);
};

function addToBucket(buckets: CountBucket[], added: CountBucket): void {
  let place = buckets.length;
  while (place > 0 && buckets[place - 1]!.index >= added.index) place -= 1;
  const there = buckets[place];
  if (there?.index !== added.index) {
    buckets.splice(place, 0, added);
    return;
  }
  buckets[place] = {
    index: there.index,
    bad: there.bad + added.bad,
    total: there.total + added.total,
    coveredMs: there.coveredMs + added.coveredMs,
  };
}

/** The newest `count` buckets at `at`, the present one included: at most `count * bucketMs`, and less by at most one bucket. */
export const countsIn = ({ buckets, bucketMs }: CountSeries, at: number, count: number): WindowCounts => {
  const last = indexAt(at, bucketMs);
  let [bad, total, coveredMs] = [0, 0, 0];
  for (let place = buckets.length - 1; place >= 0; place--) {
    const bucket = buckets[place]!;
    if (bucket.index <= last - count) break;
    if (bucket.index > last) continue;
    bad += bucket.bad;
    total += bucket.total;
    coveredMs += bucket.coveredMs;
  }
  return { bad, total, coveredMs };
};

/** The time that {@link countsIn} looks back at `at`. */
export const spanOf = ({ bucketMs }: CountSeries, at: number, count: number): number =>
  at - (indexAt(at, bucketMs) - count + 1) * bucketMs;

/**
 * The same history for a clock that was set back to `at`: how long ago things were is what counts, so all of it moves back with
 * the clock, until nothing lies ahead. A clock that was set forward leaves a gap, which is what it looks like.
 */
export const movedBackTo = (series: CountSeries, at: number): CountSeries => {
  const newest = series.buckets.at(-1);
  const ahead = newest === undefined ? 0 : newest.index - indexAt(at, series.bucketMs);
  if (ahead <= 0) return series;
  return { ...series, buckets: series.buckets.map((bucket) => ({ ...bucket, index: bucket.index - ahead })) };
};
