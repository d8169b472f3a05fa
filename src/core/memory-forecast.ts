/**
 * When will a worker run out of memory? From the heap after full collections (what is left is what is held) and from
 * resident memory, against whatever limits them. Says what it found from which source, and with what certainty; the
 * first minutes of a program, caches that fill and level off, and saw teeth are no leaks. Refuses to act: which worker
 * is to be recycled when is `recycling.ts`.
 */
import { theilSen } from './slope.ts';
import type { Point, Slope } from './slope.ts';

export type MemorySource = 'heap-after-gc' | 'rss';

export interface MemoryPolicy {
  /** Of a worker's life: what grows then is the program being loaded and its caches being filled. */
  readonly warmUpMs: number;
  /** Between two points of the recent series; older ones of the long series are further apart. */
  readonly spacingMs: number;
  readonly recentMs: number;
  /** Most points of a series. */
  readonly points: number;
  /** Fewer points, or over a shorter time, say nothing. */
  readonly minimumPoints: number;
  /** Full collections are rare (a dozen on the way to the limit): so few points are enough where each is above all before it, */
  readonly risingPoints: number;
  /** and the growth over them is this share of the limit. */
  readonly risingGrowth: number;
  readonly minimumSpanMs: number;
  /** Width of the interval in standard deviations, and whether there is growth at all: 3 is 99.7 %. */
  readonly deviations: number;
  /** Growth of less than this share of the limit over the time looked at is none. */
  readonly leastGrowth: number;
  /** The same of a limit that is shared. */
  readonly leastGrowthOfShared: number;
  /** A fall by this share of the height shows that the memory is given back. */
  readonly fallShare: number;
  /** Growth over so many falls is no tooth any more: each begins higher than the one before. */
  readonly falls: number;
  /** Beyond this multiple of the height from which it fell before it is not the same tooth any more. */
  readonly toothFactor: number;
  /** What runs headlong into the limit, whatever its age: beyond this share of it, */
  readonly headlongShare: number;
  /** at its highest after a growth over so many points, */
  readonly headlongPoints: number;
  /** within this time, but not over less than half of it, */
  readonly headlongMs: number;
  /** and there within this time. */
  readonly headlongWithinMs: number;
  /** A step of more than this share of the growth is a jump: something was loaded, or held once. */
  readonly jumpShare: number;
}

export const MEMORY_POLICY: MemoryPolicy = {
  warmUpMs: 60_000,
  spacingMs: 5000,
  recentMs: 600_000,
  points: 60,
  minimumPoints: 8,
  risingPoints: 5,
  risingGrowth: 0.15,
  minimumSpanMs: 60_000,
  deviations: 3,
  leastGrowth: 0.02,
  leastGrowthOfShared: 0.15,
  fallShare: 0.2,
  falls: 3,
  toothFactor: 1.1,
  headlongShare: 0.75,
  headlongPoints: 4,
  headlongMs: 30_000,
  headlongWithinMs: 120_000,
  jumpShare: 0.7,
};

interface MemoryPoint {
  readonly at: number;
  readonly bytes: number;
  readonly requests: number;
}

interface Series {
  /** The last moments, warm-up or not. */
  readonly fresh: readonly MemoryPoint[];
  readonly recent: readonly MemoryPoint[];
  /** The whole life, thinned. */
  readonly long: readonly MemoryPoint[];
  readonly longSpacingMs: number;
  /** Highest since the last fall; null before the first point is complete. */
  readonly peak: number | null;
  /** The greatest height from which it fell by itself; null: it never did. */
  readonly fellFrom: number | null;
  /** The last few falls. */
  readonly fellAt: readonly number[];
}

/** Of one worker; plain data. A new worker begins with a new one. */
export interface MemoryState {
  readonly lastHeapAfterGcBytes: number | null;
  readonly heap: Series;
  readonly rss: Series;
}

export interface MemorySample {
  readonly uptimeMs: number;
  /** As in the report; null before the first full collection, and without an agent. */
  readonly heapAfterGcBytes: number | null;
  readonly rssBytes: number | null;
  /** Finished since the worker started. */
  readonly requests: number;
}

export interface MemoryLimit {
  readonly source: MemorySource;
  readonly limitBytes: number;
  /** What it is, for people: `--max-old-space-size`, `the budget heapUsedMB`. */
  readonly words: string;
  /** It is what a worker may have of something that it shares with others, and may be just above what all of them need. */
  readonly isShared?: boolean;
}

export interface MemoryForecast {
  /** `unknown`: too few points yet. `sawtooth`: it grows, and has fallen from this height by itself before. */
  readonly status: 'unknown' | 'steady' | 'sawtooth' | 'growing';
  readonly source: MemorySource;
  readonly limit: MemoryLimit;
  /** Newest point. */
  readonly bytes: number | null;
  readonly growthPerHourBytes: number | null;
  readonly growthPerHourLow: number | null;
  readonly growthPerHourHigh: number | null;
  readonly growthPer1000RequestsBytes: number | null;
  /** Until the limit is reached; null where it does not grow, or nobody knows. */
  readonly leftMs: number | null;
  readonly leftMsLow: number | null;
  readonly leftMsHigh: number | null;
  /** It is near its limit and goes there fast: told from the last half minute, not from a trend that is certain. */
  readonly isHeadlong: boolean;
  readonly points: number;
  readonly reason: string;
}

const EMPTY: Series = { fresh: [], recent: [], long: [], longSpacingMs: 0, peak: null, fellFrom: null, fellAt: [] };

export const newMemory = (): MemoryState => ({ lastHeapAfterGcBytes: null, heap: EMPTY, rss: EMPTY });

/** A complete point: does memory go up from here, or was it given back? */
const noteTooth = (series: Series, { at, bytes }: MemoryPoint, policy: MemoryPolicy): Partial<Series> => {
  const peak = Math.max(series.peak ?? bytes, bytes);
  if (peak - bytes <= peak * policy.fallShare) return { peak };
  const fellAt = [...series.fellAt, at].slice(-policy.falls);
  return { peak: bytes, fellFrom: Math.max(series.fellFrom ?? 0, peak), fellAt };
};

/** Within the spacing the lowest counts: what is above it was garbage, or is given back. */
const addFresh = (fresh: Series['fresh'], point: MemoryPoint, policy: MemoryPolicy): Series['fresh'] => {
  const { spacingMs, headlongMs } = policy;
  const last = fresh.at(-1);
  if (last === undefined || point.at - last.at >= spacingMs)
    return [...fresh.filter(({ at }) => point.at - at <= headlongMs), point];
  return point.bytes >= last.bytes ? fresh : [...fresh.slice(0, -1), { ...last, bytes: point.bytes }];
};

const add = (series: Series, point: MemoryPoint, policy: MemoryPolicy): Series => {
  const { spacingMs, recentMs, points } = policy;
  const last = series.recent.at(-1);
  // Within the spacing the lowest counts: what is above it was garbage, or is given back.
  if (last !== undefined && point.at - last.at < spacingMs) {
    if (point.bytes >= last.bytes) return series;
    const lowest = { ...last, bytes: point.bytes };
    const long = series.long.at(-1) === last ? [...series.long.slice(0, -1), lowest] : series.long;
    return { ...series, recent: [...series.recent.slice(0, -1), lowest], long };
  }
  const tooth = last === undefined ? {} : noteTooth(series, last, policy);
  const recent = [...series.recent.filter(({ at }) => point.at - at <= recentMs), point].slice(-points);
  const lastLong = series.long.at(-1);
  let { longSpacingMs } = series;
  let long = series.long;
  if (lastLong === undefined || point.at - lastLong.at >= longSpacingMs) long = [...long, point];
  if (long.length > points) {
    long = long.filter((_, index) => index % 2 === 0);
    longSpacingMs = Math.max(spacingMs, longSpacingMs) * 2;
  }
  return { ...series, ...tooth, recent, long, longSpacingMs };
};

/** One report of a worker. */
export const noteMemory = (
  state: MemoryState,
  sample: MemorySample,
  at: number,
  policy: MemoryPolicy = MEMORY_POLICY,
): MemoryState => {
  const { heapAfterGcBytes: heap, rssBytes, requests } = sample;
  const isWarmingUp = sample.uptimeMs < policy.warmUpMs;
  const note = (series: Series, bytes: number): Series => {
    const point = { at, bytes, requests };
    const fresh = addFresh(series.fresh, point, policy);
    return isWarmingUp ? { ...series, fresh } : { ...add(series, point, policy), fresh };
  };
  // The same figure again is the same collection.
  const hasCollected = heap !== null && heap !== state.lastHeapAfterGcBytes;
  return {
    lastHeapAfterGcBytes: heap,
    heap: hasCollected ? note(state.heap, heap) : state.heap,
    rss: rssBytes === null ? state.rss : note(state.rss, rssBytes),
  };
};

const spanMs = (points: readonly MemoryPoint[]): number => (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);

const overTime = (points: readonly MemoryPoint[], policy: MemoryPolicy): Slope | null =>
  points.length < policy.risingPoints || spanMs(points) < policy.minimumSpanMs
    ? null
    : theilSen(
        points.map(({ at, bytes }) => ({ x: at, y: bytes })),
        policy.deviations,
      );

interface Trend {
  readonly slope: Slope;
  readonly points: readonly MemoryPoint[];
  readonly isGrowing: boolean;
}

/** Growth that has ended was something being filled: where the later half does not grow for sure nothing does. */
const trendOf = (
  points: readonly MemoryPoint[],
  { limitBytes, isShared = false }: MemoryLimit,
  policy: MemoryPolicy,
): Trend | null => {
  const leastGrowth = isShared ? policy.leastGrowthOfShared : policy.leastGrowth;
  const whole = overTime(points, policy);
  if (whole === null) return null;
  if (points.length < policy.minimumPoints) {
    if (whole.least <= 0 || whole.slope * spanMs(points) < limitBytes * policy.risingGrowth) return null;
    return { slope: { ...whole, low: whole.least, high: whole.greatest }, points, isGrowing: true };
  }
  const hasGrown = whole.low > 0 && whole.slope * spanMs(points) >= limitBytes * leastGrowth;
  const laterHalf = points.slice(Math.floor(points.length / 2));
  const later = laterHalf.length < policy.minimumPoints ? null : overTime(laterHalf, policy);
  // With few points nobody can tell; the limit is far then, or hit before anybody could.
  if (!hasGrown || later === null) return { slope: whole, points, isGrowing: hasGrown };
  return { slope: whole, points, isGrowing: later.low > 0 };
};

/** What came after a jump, where there was one. */
const sinceJump = (points: readonly MemoryPoint[], { jumpShare }: MemoryPolicy): readonly MemoryPoint[] => {
  const growth = (points.at(-1)?.bytes ?? 0) - (points[0]?.bytes ?? 0);
  const after = points.findLastIndex(
    ({ bytes }, index) => index > 0 && bytes - (points[index - 1]?.bytes ?? bytes) > growth * jumpShare,
  );
  return after === -1 ? points : points.slice(after);
};

/**
 * What nobody can wait for until it is sure: a worker near its limit whose last half minute, gone on with, takes it there before
 * a trend is seen; in its first minutes, or when a leak begins late in a long life.
 */
const headlongOf = (
  series: Series,
  { limitBytes, isShared = false }: MemoryLimit,
  policy: MemoryPolicy,
): Trend | null => {
  const { fellFrom } = series;
  const points = sinceJump(series.fresh, policy);
  const { bytes } = points.at(-1) ?? { bytes: 0 };
  if (points.length < policy.headlongPoints || spanMs(points) < policy.headlongMs / 2) return null;
  if (bytes < limitBytes * policy.headlongShare || points.some((point) => point.bytes > bytes)) return null;
  // It has come back from here before.
  if (fellFrom !== null && bytes <= fellFrom * policy.toothFactor) return null;
  const slope = theilSen(
    points.map((point) => ({ x: point.at, y: point.bytes })),
    policy.deviations,
  );
  const [before, last] = points.slice(-2);
  if (slope === null || before === undefined || last === undefined) return null;
  // A program that has just been loaded has grown fast, and does so no longer.
  const lastStep = (last.bytes - before.bytes) / (last.at - before.at);
  if (slope.slope <= 0 || lastStep < slope.slope / 2) return null;
  if (isShared && slope.slope * spanMs(points) < limitBytes * policy.leastGrowthOfShared) return null;
  if ((limitBytes - bytes) / slope.slope > policy.headlongWithinMs) return null;
  return { slope: { ...slope, low: slope.least, high: slope.greatest }, points, isGrowing: true };
};

const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const SOURCE_WORDS: Readonly<Record<MemorySource, string>> = {
  'heap-after-gc': 'the heap after full collections',
  rss: 'resident memory',
};

const sizeWords = (bytes: number): string => {
  const megabytes = bytes / MB;
  return `${megabytes < 10 ? megabytes.toFixed(1) : Math.round(megabytes)} MB`;
};

const timeWords = (ms: number): string => {
  if (!Number.isFinite(ms)) return 'for ever';
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / 60_000)} min`;
  return ms < 72 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / HOUR_MS / 24)} days`;
};

/** One source against one limit. */
export const forecastAgainst = (
  state: MemoryState,
  limit: MemoryLimit,
  policy: MemoryPolicy = MEMORY_POLICY,
): MemoryForecast => {
  const series = limit.source === 'rss' ? state.rss : state.heap;
  const { limitBytes, source } = limit;
  const headlong = headlongOf(series, limit, policy);
  const bytes = (headlong === null ? series.recent : series.fresh).at(-1)?.bytes ?? null;
  const trends = [series.recent, series.long].flatMap((points) => trendOf(points, limit, policy) ?? []);
  const nothing = {
    source,
    limit,
    bytes,
    growthPer1000RequestsBytes: null,
    leftMs: null,
    leftMsLow: null,
    leftMsHigh: null,
    isHeadlong: false,
  };
  const what = SOURCE_WORDS[source];
  if ((trends.length === 0 && headlong === null) || bytes === null) {
    return {
      ...nothing,
      status: 'unknown',
      growthPerHourBytes: null,
      growthPerHourLow: null,
      growthPerHourHigh: null,
      points: series.recent.length,
      reason: `too little is known of ${what} yet`,
    };
  }
  // The steeper of those that grow for sure: the limit is hit by the sooner one.
  const certain = trends.filter(({ isGrowing }) => isGrowing).sort((a, b) => b.slope.slope - a.slope.slope)[0];
  const isHeadlong = headlong !== null && headlong.slope.slope > (certain?.slope.high ?? 0);
  const growing = isHeadlong ? headlong : certain;
  const { slope, points } = growing ?? trends[0]!;
  const perHour = {
    growthPerHourBytes: slope.slope * HOUR_MS,
    growthPerHourLow: slope.low * HOUR_MS,
    growthPerHourHigh: slope.high * HOUR_MS,
  };
  if (growing === undefined) {
    return {
      ...nothing,
      ...perHour,
      status: 'steady',
      points: points.length,
      reason: `${what} does not grow for sure`,
    };
  }
  const room = Math.max(0, limitBytes - bytes);
  const left = {
    leftMs: room / slope.slope,
    leftMsLow: Number.isFinite(slope.high) ? room / slope.high : 0,
    leftMsHigh: slope.low > 0 ? room / slope.low : Number.POSITIVE_INFINITY,
  };
  const fallsWithin = series.fellAt.filter((at) => at > (points[0]?.at ?? 0)).length;
  const isTooth =
    !isHeadlong &&
    series.fellFrom !== null &&
    bytes <= series.fellFrom * policy.toothFactor &&
    fallsWithin < policy.falls;
  const grows = `${what} grows by ${sizeWords(slope.slope * HOUR_MS)} an hour`;
  const certainty = isHeadlong
    ? 'if it goes on as in the last half minute'
    : `(${timeWords(left.leftMsLow)} to ${timeWords(left.leftMsHigh)})`;
  const reason = isTooth
    ? `${grows}, as before it fell from ${sizeWords(series.fellFrom ?? 0)} by itself`
    : `${grows} and reaches ${limit.words} (${sizeWords(limitBytes)}) in ${timeWords(left.leftMs)} ${certainty}`;
  return {
    ...nothing,
    ...perHour,
    ...(isTooth ? {} : left),
    status: isTooth ? 'sawtooth' : 'growing',
    isHeadlong,
    growthPer1000RequestsBytes: perThousand(points),
    points: points.length,
    reason,
  };
};

const perThousand = (points: readonly MemoryPoint[]): number | null => {
  const overRequests: Point[] = points.map(({ requests, bytes }) => ({ x: requests, y: bytes }));
  const slope = theilSen(overRequests, 0);
  return slope === null ? null : slope.slope * 1000;
};

const URGENCY: readonly MemoryForecast['status'][] = ['growing', 'sawtooth', 'steady', 'unknown'];

/** Against each of the limits: the one that is reached first; null where nothing limits the worker. */
export const forecastMemory = (
  state: MemoryState,
  limits: readonly MemoryLimit[],
  policy: MemoryPolicy = MEMORY_POLICY,
): MemoryForecast | null =>
  limits
    .map((limit) => forecastAgainst(state, limit, policy))
    .sort(
      (a, b) =>
        URGENCY.indexOf(a.status) - URGENCY.indexOf(b.status) ||
        (a.leftMs ?? Number.POSITIVE_INFINITY) - (b.leftMs ?? Number.POSITIVE_INFINITY) ||
        0,
    )[0] ?? null;

/** The heap limit that the arguments of Node or NODE_OPTIONS set, bytes; null: Node's own default holds. The last one counts, as in Node. */
export const heapLimitOf = (nodeArgs: readonly string[]): number | null => {
  let limitBytes: number | null = null;
  for (const [index, argument] of nodeArgs.entries()) {
    const match = /^--max[-_]old[-_]space[-_]size(?:=(\d+))?$/.exec(argument);
    if (match === null) continue;
    const megabytes = Number(match[1] ?? nodeArgs[index + 1]);
    if (Number.isSafeInteger(megabytes) && megabytes > 0) limitBytes = megabytes * MB;
  }
  return limitBytes;
};
