/**
 * Whether a measure is unusual for this time of the day and week. Pure: values and the time come in, a verdict goes out.
 *
 * The measure is held against the medians of the same hour before (and of the hours beside it) by a robust z-score: the
 * difference from their median, over 1.4826 times the median absolute deviation, which for normally distributed values is the
 * standard deviation (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993). Single bad hours of the past move neither.
 * The same hour of the last weeks is best; where there are too few of those, the same hour of the last days; then the last day.
 *
 * Refuses to judge without enough history, and values that rest on too few events. A change that lasts for a day is the new
 * normal: from then on only what came after it counts.
 */

export interface AnomalyPolicy {
  readonly direction: 'high' | 'low' | 'both';
  /** It begins after `enterFor` values in a row beyond `enterZ`, and ends after `leaveFor` in a row within `leaveZ`. */
  readonly enterZ: number;
  readonly enterFor: number;
  readonly leaveZ: number;
  readonly leaveFor: number;
  /** A value that rests on fewer events says nothing. */
  readonly minimumCount: number;
  /** Where less than this is usual, nothing is unusual: a rate of next to nothing has no shape. */
  readonly minimumUsual: number;
  /** The spread counts as at least this share of what is usual, and at least so much: what hardly moved is not brittle. */
  readonly leastSpread: { readonly share: number; readonly absolute: number };
}

const POLICY: Omit<AnomalyPolicy, 'leastSpread'> = {
  direction: 'high',
  // A thousand values a day leave no room for the 3.5 of a single look.
  enterZ: 5,
  enterFor: 3,
  leaveZ: 3,
  leaveFor: 5,
  minimumCount: 50,
  minimumUsual: 0,
};

/** For values of a minute each; in milliseconds, shares, requests a second, and bytes. */
export const ANOMALY_POLICIES = {
  latencyP95: { ...POLICY, leastSpread: { share: 0.1, absolute: 5 } },
  errorShare: { ...POLICY, leastSpread: { share: 0.25, absolute: 0.003 } },
  requestRate: {
    ...POLICY,
    direction: 'both',
    minimumCount: 0,
    minimumUsual: 1,
    leastSpread: { share: 0.1, absolute: 0.2 },
  },
  memory: { ...POLICY, minimumCount: 0, leastSpread: { share: 0.05, absolute: 16 * 1024 * 1024 } },
} as const satisfies Readonly<Record<string, AnomalyPolicy>>;
export type AnomalyMeasure = keyof typeof ANOMALY_POLICIES;

/** What is kept of an hour. */
export interface HourSummary {
  /** Hours since 1970, UTC. */
  readonly hour: number;
  readonly median: number;
  /** Median absolute deviation of its values. */
  readonly deviation: number;
}

/** Plain data, to be kept over restarts; four weeks are some 40 kB as JSON. */
export interface AnomalyState {
  readonly hours: readonly HourSummary[];
  readonly present: { readonly hour: number; readonly values: readonly number[] } | null;
  /** Since when it is unusual; null: it is not. */
  readonly since: number | null;
  /** Values in a row that speak for a change from what it is. */
  readonly streak: number;
  /** What came before this hour no longer counts; null: all counts. */
  readonly countsFrom: number | null;
}

export interface Measure {
  readonly at: number;
  readonly value: number;
  /** Events that the value rests on. */
  readonly count: number;
}

export interface Baseline {
  readonly usual: number;
  /** As large as a standard deviation would be. */
  readonly spread: number;
  readonly from: 'same hour of the week' | 'same hour of the day' | 'last day';
}

export interface AnomalyStep {
  readonly state: AnomalyState;
  readonly verdict: 'bad' | 'good' | 'unknown';
  /** Null: not enough history. */
  readonly baseline: Baseline | null;
  /** Positive: too high. Null where nothing was judged. */
  readonly z: number | null;
}

const HOUR_MS = 3_600_000;
const HOURS_A_DAY = 24;
const HOURS_A_WEEK = 168;
const KEPT_WEEKS = 4;
/** An hour of one value every ten seconds. */
const MOST_VALUES = 360;
/** An hour with fewer values is not remembered. */
const LEAST_VALUES = 10;
const LEAST_WEEKS = 3;
const DAYS_BACK = 14;
const LEAST_DAYS = 3;
const LEAST_HOURS = 6;
const ADOPT_AFTER_HOURS = 24;
/** Of a normal distribution: its standard deviation over its median absolute deviation. */
const DEVIATION_SCALE = 1.4826;

export const newAnomaly = (): AnomalyState => ({ hours: [], present: null, since: null, streak: 0, countsFrom: null });

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

const deviationFrom = (centre: number, values: readonly number[]): number =>
  median(values.map((value) => Math.abs(value - centre)));

/** One more value: what it says, and what is remembered of it. */
export const stepAnomaly = (state: AnomalyState, measure: Measure, policy: AnomalyPolicy): AnomalyStep => {
  const { at, value, count } = measure;
  const isSaying = Number.isFinite(value) && count >= policy.minimumCount;
  const known = isSaying ? remember(state, measure) : state;
  const baseline = baselineAt(known, at);
  if (!isSaying || baseline === null || baseline.usual < policy.minimumUsual)
    return { state: known, verdict: 'unknown', baseline, z: null };
  const z = (value - baseline.usual) / spreadOf(baseline, policy);
  const next = decide(known, away(z, policy), at, policy);
  return { state: next, verdict: next.since === null ? 'good' : 'bad', baseline, z };
};

const spreadOf = ({ usual, spread }: Baseline, { leastSpread: { share, absolute } }: AnomalyPolicy): number =>
  Math.max(spread, share * Math.abs(usual), absolute);

/** How far it is off in the directions that matter. */
const away = (z: number, { direction }: AnomalyPolicy): number =>
  direction === 'both' ? Math.abs(z) : direction === 'low' ? -z : z;

const decide = (state: AnomalyState, off: number, at: number, policy: AnomalyPolicy): AnomalyState => {
  const { enterZ, enterFor, leaveZ, leaveFor } = policy;
  if (state.since === null) {
    const streak = off >= enterZ ? state.streak + 1 : 0;
    return streak >= enterFor ? { ...state, since: at, streak: 0 } : { ...state, streak };
  }
  const streak = off <= leaveZ ? state.streak + 1 : 0;
  if (streak >= leaveFor) return { ...state, since: null, streak: 0 };
  const hasLasted = at - state.since >= ADOPT_AFTER_HOURS * HOUR_MS;
  return { ...state, streak, countsFrom: hasLasted ? Math.floor(state.since / HOUR_MS) : state.countsFrom };
};

/** A clock that was set back goes on in the present hour. */
const remember = (state: AnomalyState, { at, value }: Measure): AnomalyState => {
  const hour = Math.floor(at / HOUR_MS);
  const { present } = state;
  if (present !== null && hour <= present.hour && present.hour - hour < HOURS_A_DAY)
    return { ...state, present: { ...present, values: [...present.values.slice(1 - MOST_VALUES), value] } };
  return { ...state, hours: withPresent(state, hour), present: { hour, values: [value] } };
};

const withPresent = ({ hours, present }: AnomalyState, now: number): readonly HourSummary[] => {
  // Of a clock that was set back by more than a day, what lies ahead is of no use.
  const kept = hours.filter(({ hour }) => hour < now && hour >= now - KEPT_WEEKS * HOURS_A_WEEK);
  if (present === null || present.values.length < LEAST_VALUES || present.hour >= now) return kept;
  const centre = median(present.values);
  return [...kept, { hour: present.hour, median: centre, deviation: deviationFrom(centre, present.values) }];
};

/** What is usual at `at`; null: too little is known. */
export const baselineAt = ({ hours, countsFrom }: AnomalyState, at: number): Baseline | null => {
  const now = Math.floor(at / HOUR_MS);
  const counted = countsFrom === null ? hours : hours.filter(({ hour }) => hour >= countsFrom);
  const weekly = sameHours(counted, now, HOURS_A_WEEK, KEPT_WEEKS);
  if (weekly.turns >= LEAST_WEEKS) return summarize(weekly.hours, 'same hour of the week');
  const daily = sameHours(counted, now, HOURS_A_DAY, DAYS_BACK);
  if (daily.turns >= LEAST_DAYS) return summarize(daily.hours, 'same hour of the day');
  const recent = counted.filter(({ hour }) => hour >= now - HOURS_A_DAY && hour < now);
  return recent.length >= LEAST_HOURS ? summarize(recent, 'last day') : null;
};

/** The hours that are whole periods ago, and those beside them, and how many periods that are. */
const sameHours = (
  hours: readonly HourSummary[],
  now: number,
  period: number,
  most: number,
): { readonly hours: readonly HourSummary[]; readonly turns: number } => {
  const turnOf = ({ hour }: HourSummary): number => Math.round((now - hour) / period);
  const same = hours.filter((one) => {
    const turn = turnOf(one);
    return turn >= 1 && turn <= most && Math.abs(now - one.hour - turn * period) <= 1;
  });
  return { hours: same, turns: new Set(same.map(turnOf)).size };
};

/** Hours differ from each other, and values within an hour do: a single value has both. */
const summarize = (hours: readonly HourSummary[], from: Baseline['from']): Baseline => {
  const medians = hours.map((hour) => hour.median);
  const usual = median(medians);
  const between = deviationFrom(usual, medians);
  const within = median(hours.map(({ deviation }) => deviation));
  return { usual, spread: DEVIATION_SCALE * Math.hypot(between, within), from };
};
