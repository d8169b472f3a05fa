/**
 * How an objective stands: what is spent of its error budget, how fast it burns, and which of its rules (`burn-rules.ts`) find
 * that too fast. Pure: counts and the time come in, verdicts go out; what is told to whom is decided in `alert.ts`.
 *
 * The times are those of one timeline that goes on over restarts: the wall clock when the daemon began, plus what has passed
 * since by the monotonic one. Steps of the wall clock between two daemons are borne (`counts.ts`).
 *
 * Refuses to judge windows with too few events, and does not take for spent what may be chance. What was before the first
 * counts holds no errors: so what burns is told when the share of the budget is really gone, also just after a start. A
 * gap is taken to have been like the rest of its window, because trouble makes gaps; but where more than a quarter is missing,
 * what is left no longer speaks for all of it, and a blip beside a long gap is no outage of an hour.
 */
import type { ObjectiveConfig } from '../protocol/index.ts';
import { type BurnRule, burnRulesFor, RESOLUTION_MS, SHORT_IN_LONG } from './burn-rules.ts';
import {
  addSpan,
  type CountSeries,
  type CountSpan,
  countsIn,
  isUsable,
  movedBackTo,
  newSeries,
  spanOf,
  type WindowCounts,
} from './counts.ts';

/** What is worked out of an objective's configuration once. */
export interface ObjectivePlan {
  readonly objective: ObjectiveConfig;
  readonly rules: readonly BurnRule[];
}

/** Plain data, to be kept over restarts. */
export interface ObjectiveState {
  /** The beginning of the first span; null before it. */
  readonly since: number | null;
  /** The end of the newest span; null before the first. */
  readonly at: number | null;
  /** For each rule what its windows hold, then for the objective's whole window. */
  readonly series: readonly CountSeries[];
}

export interface BurnWindow {
  readonly events: number;
  readonly bad: number;
  /** Null: too few events to tell. */
  readonly burn: number | null;
}

export interface RuleVerdict {
  readonly rule: BurnRule;
  /** `unknown`: too few events, or too few errors to be more than chance; neither begins an alert nor ends one. */
  readonly verdict: 'burning' | 'calm' | 'unknown';
  readonly long: BurnWindow;
  readonly short: BurnWindow;
}

export interface BudgetStanding {
  readonly events: number;
  readonly bad: number;
  /** Of the window; the rest was not observed. */
  readonly observedShare: number;
  /** Of the whole budget; above 1 the objective is missed. */
  readonly consumed: number;
  /** Of the whole budget; below 0 where more is spent than there was. */
  readonly remaining: number;
  /** In the shortest window that has enough events; null where none has. */
  readonly burn: number | null;
  /** Until nothing is left if it goes on like this; 0: nothing is; null: it never comes to that. */
  readonly exhaustedInMs: number | null;
}

export interface ObjectiveVerdict {
  readonly rules: readonly RuleVerdict[];
  readonly budget: BudgetStanding;
}

/** A short window is ten buckets; so is each twelfth of what a long one looks back. */
const BUCKETS_IN_SHORT = 10;
const BUCKETS = BUCKETS_IN_SHORT * SHORT_IN_LONG;
/** Counts that are so late are only late. */
const LATE_MS = 3 * RESOLUTION_MS;
/** A span of whole events that is spread over buckets may sum up to a trifle less. */
const ROUNDING = 1e-6;
/**
 * How rarely chance alone makes so many errors in one window; both windows must be beyond it. Measured on 312 days of 1 to 6
 * requests a minute at nine tenths of the budget: 2 pages. Ten times rarer is 1, and pages come later.
 */
const CHANCE = 1e-2;
/** So much of a window speaks for all of it. */
const MOST_OF_WINDOW = 0.75;

export const planObjective = (objective: ObjectiveConfig, resolutionMs?: number): ObjectivePlan => ({
  objective,
  rules: burnRulesFor(objective, resolutionMs),
});

export const newObjective = ({ rules, objective }: ObjectivePlan): ObjectiveState => ({
  since: null,
  at: null,
  series: [...rules.map(({ longMs }) => longMs), objective.windowMs].map((ms) => newSeries(ms / BUCKETS, BUCKETS)),
});

/**
 * The history of an objective whose configuration may have changed. Windows of the same length go on; others are made of the
 * finest one that reaches as far back, or else of the one that reaches furthest.
 */
export const resumeObjective = (plan: ObjectivePlan, before: ObjectiveState): ObjectiveState => {
  const fresh = newObjective(plan);
  const byReach = before.series.toSorted((a, b) => a.bucketMs - b.bucketMs);
  const series = fresh.series.map((empty): CountSeries => {
    const source = byReach.find(({ bucketMs }) => bucketMs >= empty.bucketMs) ?? byReach.at(-1);
    if (source === undefined) return empty;
    return source.bucketMs === empty.bucketMs ? source : refill(empty, source, before.at ?? 0);
  });
  return { since: before.since, at: before.at, series };
};

/** A bucket as the span that it stands for; the present one ends with what was observed last. */
const refill = (empty: CountSeries, source: CountSeries, at: number): CountSeries =>
  source.buckets.reduce((series, { index, bad, total, coveredMs }) => {
    const endsAt = Math.min(at, (index + 1) * source.bucketMs);
    return addSpan(series, { at: endsAt, forMs: coveredMs, good: total - bad, total });
  }, empty);

/** The state with one more span of counts; of all workers together. Counts that are no numbers leave it as it is. */
export const observeCounts = (state: ObjectiveState, span: CountSpan): ObjectiveState => {
  if (!isUsable(span)) return state;
  const { since, series } = movedBack(state, span.at);
  return { since: since ?? span.at - span.forMs, at: span.at, series: series.map((one) => addSpan(one, span)) };
};

const movedBack = (state: ObjectiveState, at: number): ObjectiveState => {
  const { since, at: seenAt, series } = state;
  if (seenAt === null || since === null || at >= seenAt) return state;
  return { since: since - (seenAt - at), at, series: series.map((one) => movedBackTo(one, at)) };
};

/** How the objective stands at `at`. */
export const judgeObjective = (plan: ObjectivePlan, state: ObjectiveState, at: number): ObjectiveVerdict => {
  const { objective, rules } = plan;
  const { since, series } = movedBack(state, at);
  // The next counts are still to come: that is no gap.
  const isLate = (shortMs: number): boolean =>
    state.at !== null && at > state.at && at - state.at <= Math.min(shortMs, LATE_MS);
  const endOf = (shortMs: number): number => (isLate(shortMs) ? (state.at ?? at) : at);
  const windowOf = (index: number, shortMs: number): Window => ({
    series: series[index]!,
    since: since ?? at,
    at: endOf(shortMs),
  });
  const verdicts = rules.map((rule, index) => judgeRule(objective, rule, windowOf(index, rule.shortMs)));
  const whole = windowOf(rules.length, objective.windowMs / SHORT_IN_LONG);
  return { rules: verdicts, budget: standing(objective, verdicts, whole) };
};

interface Window {
  readonly series: CountSeries;
  readonly since: number;
  /** Its end. */
  readonly at: number;
}

const judgeRule = (objective: ObjectiveConfig, rule: BurnRule, window: Window): RuleVerdict => {
  const { minimumEvents } = objective;
  const { series, at } = window;
  const counts = countsIn(series, at, BUCKETS);
  const shortCounts = countsIn(series, at, BUCKETS_IN_SHORT);
  const long = burnOf(objective, counts, minimumEvents);
  const short = burnOf(objective, shortCounts, Math.ceil(minimumEvents / SHORT_IN_LONG));
  const isCalm = (short.burn !== null && short.burn <= rule.burn) || (long.burn !== null && long.burn <= rule.burn);
  if (isCalm) return { rule, verdict: 'calm', long, short };
  // Neither window is below the rule, but one may not be known.
  const spent = (long.burn ?? 0) * spokenFor(window, counts);
  const isBurning =
    spent > rule.burn &&
    short.burn !== null &&
    isBeyondChance(objective, rule, counts) &&
    isBeyondChance(objective, rule, shortCounts);
  return { rule, verdict: isBurning ? 'burning' : 'unknown', long, short };
};

const burnOf = ({ target }: ObjectiveConfig, { bad, total }: WindowCounts, minimum: number): BurnWindow => ({
  events: total,
  bad,
  burn: total + ROUNDING < minimum || total <= ROUNDING ? null : bad / total / (1 - target),
});

/** The share of a window that what was seen of it stands for. */
const spokenFor = ({ series, since, at }: Window, { coveredMs }: WindowCounts): number => {
  const spanMs = spanOf(series, at, BUCKETS);
  const historyMs = Math.min(spanMs, at - since);
  return historyMs <= 0 ? 0 : Math.min(1, coveredMs / (MOST_OF_WINDOW * historyMs)) * (historyMs / spanMs);
};

/**
 * Whether so many errors would hardly ever come about if the true burn were half of the rule's, and at most 1: among few events
 * with a strict target two errors are many times the budget, and mean little. The bound is Chernoff's for a binomial tail:
 * `P(X >= bad) <= exp(-total * KL(bad / total || p))`.
 */
const isBeyondChance = ({ target }: ObjectiveConfig, { burn }: BurnRule, { bad, total }: WindowCounts): boolean => {
  const expected = Math.min(1, burn / 2) * (1 - target);
  const seen = bad / total;
  if (seen <= expected) return false;
  const divergence =
    seen * Math.log(seen / expected) + (seen < 1 ? (1 - seen) * Math.log((1 - seen) / (1 - expected)) : 0);
  return total * divergence >= -Math.log(CHANCE);
};

const standing = (objective: ObjectiveConfig, verdicts: readonly RuleVerdict[], window: Window): BudgetStanding => {
  const { windowMs, target } = objective;
  const { series, at } = window;
  const counts = countsIn(series, at, BUCKETS);
  const consumed = counts.total === 0 ? 0 : (counts.bad / counts.total / (1 - target)) * spokenFor(window, counts);
  const remaining = 1 - consumed;
  const burn =
    verdicts.flatMap(({ short, long }) => [short.burn, long.burn]).find((one) => one !== null) ??
    burnOf(objective, counts, objective.minimumEvents).burn;
  return {
    events: counts.total,
    bad: counts.bad,
    observedShare: Math.min(1, counts.coveredMs / spanOf(series, at, BUCKETS)),
    consumed,
    remaining,
    burn,
    exhaustedInMs: timeLeftMs(remaining, burn, windowMs),
  };
};

/**
 * The workbook's `window / burn` for what is left of the budget. At a burn of 1 or less a rolling window never spends all of it:
 * as much falls out of its end as comes in.
 */
const timeLeftMs = (remaining: number, burn: number | null, windowMs: number): number | null => {
  if (remaining <= 0) return 0;
  return burn === null || burn <= 1 ? null : (remaining * windowMs) / burn;
};
