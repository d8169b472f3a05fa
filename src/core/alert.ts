/**
 * The life of one alert, from what is judged of its subject again and again. Pure.
 *
 *   inactive --bad--> pending --(bad for `forMs`)--> firing --good--> easing --(good for the keep time)--> inactive
 *                     pending --good--> inactive                      easing --bad--> firing
 *
 * Nothing known is neither bad nor good: it begins nothing and ends nothing, until nothing was known for `unheardMs`. An alert
 * that comes again soon after it ended is kept firing longer each time, so that one that flaps is one alert that lasts and not
 * many. Who is told of it, and when, is decided in `alert-book.ts`.
 */
import type { AlertDocument, AlertEvidence, Severity } from '../protocol/index.ts';
import type { Each, Step } from './machine.ts';

/** What is judged again and again; the same name, severity, app, worker and labels are the same alert. */
export interface AlertSubject {
  readonly name: string;
  readonly severity: Severity;
  readonly app: string | null;
  readonly worker?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** In milliseconds. */
export interface AlertPolicy {
  /** Bad for so long before it fires; 0: at once. */
  readonly forMs: number;
  /** Good for so long before it is over. */
  readonly keepMs: number;
  /** With nothing known for so long it is over. */
  readonly unheardMs: number;
  readonly flapping: {
    /** Firing again so soon after its end counts as the same trouble. */
    readonly withinMs: number;
    /** Then it is kept so long when it is good again, twice as long the next time, */
    readonly keepMs: number;
    /** at most this. */
    readonly maxKeepMs: number;
  };
}

const MINUTE_MS = 60_000;
export const ALERT_POLICY: AlertPolicy = {
  forMs: 0,
  keepMs: 0,
  unheardMs: 60 * MINUTE_MS,
  flapping: { withinMs: 30 * MINUTE_MS, keepMs: 2 * MINUTE_MS, maxKeepMs: 60 * MINUTE_MS },
};

/** What people read of it; of the last time that it was bad. */
export interface AlertDetail {
  readonly summary: string;
  readonly description: string;
  readonly evidence: readonly AlertEvidence[];
}

export type AlertPhase = 'inactive' | 'pending' | 'firing' | 'easing';

/** Plain data, to be kept over restarts. */
export interface AlertState {
  readonly subject: AlertSubject;
  readonly policy: AlertPolicy;
  readonly phase: AlertPhase;
  readonly detail: AlertDetail;
  /** When it went bad, of the present or else the last time that it fired. */
  readonly startedAt: number;
  /** Since when it is bad without firing yet; null where it is not. */
  readonly pendingSince: number | null;
  /** Since when it is good; null where it is not, or is not known to be. */
  readonly goodSince: number | null;
  /** When it was last judged bad or good. */
  readonly heardAt: number;
  /** The last judgement was `bad`. */
  readonly isBad: boolean;
  /** When it last was over after it had fired; null: never. */
  readonly endedAt: number | null;
  /** Times in a row that it came again soon after its end. */
  readonly flaps: number;
}

export type AlertEvent =
  | { readonly type: 'bad'; readonly at: number; readonly detail: AlertDetail }
  /** `tick`: time has passed, and that is all. `gone`: its subject is no more. */
  | Each<'good' | 'unknown' | 'tick' | 'gone', { readonly at: number }>;

export type AlertEnd = 'good' | 'gone' | 'unheard';
export type AlertEffect = { readonly type: 'fired' } | { readonly type: 'ended'; readonly because: AlertEnd };
export type AlertStep = Step<AlertState, AlertEffect>;

const NOTHING: AlertDetail = { summary: '', description: '', evidence: [] };

export const newAlert = (subject: AlertSubject, policy: AlertPolicy, at: number): AlertState => ({
  subject,
  policy,
  phase: 'inactive',
  detail: NOTHING,
  startedAt: at,
  pendingSince: null,
  goodSince: null,
  heardAt: at,
  isBad: false,
  endedAt: null,
  flaps: 0,
});

/** How long it must have been good to be over. */
const keepMsOf = ({ policy: { keepMs, flapping }, flaps }: AlertState): number =>
  flaps === 0 ? keepMs : Math.max(keepMs, Math.min(flapping.maxKeepMs, flapping.keepMs * 2 ** (flaps - 1)));

/** The next time at which it changes with nothing new judged; null: it stays as it is. */
export const alertDueAt = (state: AlertState): number | null => {
  const { phase, policy, pendingSince, goodSince, heardAt, isBad } = state;
  if (phase === 'inactive') return null;
  if (phase === 'easing') return (goodSince ?? heardAt) + keepMsOf(state);
  const unheardAt = heardAt + policy.unheardMs;
  return pendingSince !== null && isBad ? Math.min(pendingSince + policy.forMs, unheardAt) : unheardAt;
};

type Transition<Type extends AlertEvent['type']> = (
  state: AlertState,
  event: Extract<AlertEvent, { readonly type: Type }>,
) => AlertStep;

const stay = (state: AlertState): AlertStep => ({ state, effects: [] });
const ignore = (state: AlertState): AlertStep => stay(state);

const begin: Transition<'bad'> = (state, { at, detail }) =>
  ripen({ ...state, phase: 'pending', pendingSince: at, goodSince: null, heardAt: at, isBad: true, detail }, at);

/** Only what is bad now fires: time that passes while nothing is known does not. */
const ripen = (state: AlertState, at: number): AlertStep => {
  const { pendingSince, policy, endedAt } = state;
  if (pendingSince === null || !state.isBad || at - pendingSince < policy.forMs) return stay(state);
  const isAgain = endedAt !== null && pendingSince - endedAt <= policy.flapping.withinMs;
  const flaps = isAgain ? state.flaps + 1 : 0;
  return {
    state: { ...state, phase: 'firing', startedAt: pendingSince, pendingSince: null, flaps },
    effects: [{ type: 'fired' }],
  };
};

const goOnPending: Transition<'bad'> = (state, { at, detail }) =>
  ripen({ ...state, heardAt: at, isBad: true, detail }, at);

const goOn: Transition<'bad'> = (state, { at, detail }) =>
  stay({ ...state, phase: 'firing', goodSince: null, heardAt: at, isBad: true, detail });

/** It never fired, so nobody has to know. */
const drop = (state: AlertState, { at }: { readonly at: number }): AlertStep =>
  stay({ ...state, phase: 'inactive', pendingSince: null, heardAt: at, isBad: false });

const doubt: Transition<'unknown'> = (state, { at }) => giveUp({ ...state, isBad: false }, at);

const wait: Transition<'tick'> = (state, { at }) => {
  const known = giveUp(state, at);
  // What was bad when it was last heard of, long ago, is not known to be bad.
  return known.state.phase === 'pending' ? ripen(known.state, at) : known;
};

const giveUp = (state: AlertState, at: number): AlertStep => {
  if (at - state.heardAt < state.policy.unheardMs) return stay(state);
  return state.phase === 'pending' ? drop(state, { at }) : end(state, at, 'unheard');
};

const ease: Transition<'good'> = (state, { at }) =>
  settle({ ...state, phase: 'easing', goodSince: at, heardAt: at, isBad: false }, at);

const settle = (state: AlertState, at: number): AlertStep =>
  at - (state.goodSince ?? at) >= keepMsOf(state) ? end(state, at, 'good') : stay(state);

const stayGood: Transition<'good'> = (state, { at }) => settle({ ...state, heardAt: at }, at);
const settleInTime = (state: AlertState, { at }: { readonly at: number }): AlertStep => settle(state, at);
const leave: Transition<'gone'> = (state, { at }) => end(state, at, 'gone');

const end = (state: AlertState, at: number, because: AlertEnd): AlertStep => ({
  state: { ...state, phase: 'inactive', isBad: false, endedAt: at },
  effects: [{ type: 'ended', because }],
});

type Row = { readonly [Type in AlertEvent['type']]: Transition<Type> };

// oxfmt-ignore
export const ALERT_TABLE: Readonly<Record<AlertPhase, Row>> = {
  //          bad               good              unknown                 tick                gone
  inactive: { bad: begin,       good: ignore,     unknown: ignore,        tick: ignore,       gone: ignore },
  pending:  { bad: goOnPending, good: drop,       unknown: doubt,         tick: wait,         gone: drop },
  firing:   { bad: goOn,        good: ease,       unknown: doubt,         tick: wait,         gone: leave },
  easing:   { bad: goOn,        good: stayGood,   unknown: settleInTime,  tick: settleInTime, gone: leave },
};

export const stepAlert = (state: AlertState, event: AlertEvent): AlertStep => {
  const transition = ALERT_TABLE[state.phase][event.type] as Transition<AlertEvent['type']>;
  return transition(state, event);
};

/** 16 hexadecimal digits (FNV-1a, 64 bits) of what makes two alerts the same. */
export const fingerprintOf = ({ name, severity, app, worker, labels }: AlertSubject): string => {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([name, severity, app, worker ?? null, sorted]);
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
};

/** The alert as it is told; null where there is nothing to tell: it never went bad. */
export const alertDocument = (
  state: AlertState,
  fingerprint: string,
  mutedBy: readonly string[],
): AlertDocument | null => {
  const { subject, detail, startedAt, pendingSince, endedAt, phase } = state;
  const since = pendingSince ?? startedAt;
  const isOver = phase === 'inactive';
  if (isOver && endedAt === null) return null;
  return {
    id: `${fingerprint}-${since}`,
    fingerprint,
    ...subject,
    ...detail,
    status: isOver ? 'resolved' : phase === 'pending' ? 'pending' : 'firing',
    startedAt: timeOf(since),
    endsAt: isOver && endedAt !== null ? timeOf(endedAt) : null,
    mutedBy,
  };
};

export const timeOf = (at: number): string => new Date(at).toISOString();
