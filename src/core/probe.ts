/**
 * One probe of one worker: when it is asked, and what its answers come to. Fields and thresholds are those of Kubernetes
 * (`pkg/kubelet/prober/worker.go`); where it differs, `docs/probes.md` says so. Refuses to ask, wait or read a clock: it
 * answers with effects. What a failed probe leads to is decided elsewhere.
 *
 *          begin                  due              result
 *   idle ─────────▶ waiting ──────────▶ asking ──────────────▶ waiting
 *     ▲  │             ▲                  │
 *     │  └──▶ gated ───┘ started          └─ startup passed ─▶ done
 *     └── close, from everywhere; `begin` of a newer generation begins anew, from everywhere
 *
 * Attempts keep to a grid (`gridAt` and whole periods from it), so that workers that once were apart stay apart; an attempt
 * that is late, or took longer than a period, is followed by the next place of the grid and not by a rush.
 */
import type {
  ProbeColumn,
  ProbeEffect,
  ProbeEvent,
  ProbePolicy,
  ProbeState,
  ProbeStep,
  ProbeTable,
  ProbeTransition,
  ProbeVerdict,
} from './probe-types.ts';

/** Probes that are due together (of new workers, after a stall) are asked within so long. */
const RUSH_MS = 500;

export const newProbe = (): ProbeState => ({
  phase: 'idle',
  generation: 0,
  verdict: 'unknown',
  attempt: 0,
  dueAt: 0,
  gridAt: 0,
  notBefore: 0,
  graceUntil: 0,
  isDoubtful: false,
  passes: 0,
  failures: 0,
  misses: 0,
});

/** The golden ratio: of its multiples modulo 1 the first n lie about as evenly as n points can (Knuth, TAOCP 3, 6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The place of a probe within its period, from 0 to below 1: the same in every daemon, and even over the slots of an app.
 * `name` tells apps and kinds of probes apart (FNV-1a of 32 bits, RFC 9923).
 */
export const spreadOf = (name: string, slot: number): number => {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return ((hash >>> 0) / 2 ** 32 + slot * GOLDEN) % 1;
};

// ── building blocks ──────────────────────────────────────────────────────────────────────────────────────────────

const stay = (state: ProbeState, effects: readonly ProbeEffect[] = []): ProbeStep => ({ state, effects });

/** A full threshold: so long it takes at least until a probe that fails all the time has failed. */
const thresholdMs = ({ periodMs, failureThreshold }: ProbePolicy): number => periodMs * failureThreshold;

/** The next attempt is due then. Its number is new, so that whatever still comes of earlier ones is stale. */
const waitUntil = (from: ProbeState, at: number, dueAt: number, effects: readonly ProbeEffect[] = []): ProbeStep => {
  const attempt = from.attempt + 1;
  const state: ProbeState = { ...from, isDoubtful: false, phase: 'waiting', attempt, dueAt };
  const { generation } = state;
  return { state, effects: [...effects, { type: 'arm', afterMs: Math.max(0, dueAt - at), generation, attempt }] };
};

/** The first place of the grid after `at`, and after the attempt that ends: timers are early by a part of a millisecond. */
const nextPlace = ({ gridAt, dueAt }: ProbeState, at: number, { periodMs }: ProbePolicy): number =>
  gridAt + periodMs * (Math.floor((Math.max(at, dueAt) - gridAt) / periodMs) + 1);

const rushMs = ({ spread, periodMs }: ProbePolicy): number => spread * Math.min(RUSH_MS, periodMs);

/** What has to end before this probe can rest or begin anew. */
const letGo = ({ phase, generation, attempt }: ProbeState): readonly ProbeEffect[] => {
  if (phase === 'waiting') return [{ type: 'disarm' }];
  return phase === 'asking' ? [{ type: 'call-off', generation, attempt }] : [];
};

/** The verdict that the counts come to. */
const settle = (counted: ProbeState, { failureThreshold, successThreshold }: ProbePolicy): ProbeVerdict => {
  if (counted.passes >= successThreshold) return 'passed';
  return counted.failures + counted.misses >= failureThreshold ? 'failed' : counted.verdict;
};

// ── transitions: the cells of the table ──────────────────────────────────────────────────────────────────────────

/** Known to happen, and nothing to do. */
const ignore: ProbeTransition = (state) => stay(state);

/** Cannot happen unless Drover has a defect: say so and carry on. */
const unexpected: ProbeTransition = (state, event) =>
  stay(state, [
    { type: 'report', event: 'defect', reason: `a probe that is ${state.phase} did not expect ${event.type}` },
  ]);

const begin: ProbeTransition<'begin'> = (before, { at, generation, startedAt, isGated, known }, policy) => {
  const fresh: ProbeState = {
    ...newProbe(),
    generation,
    verdict: known,
    attempt: before.attempt + 1,
    notBefore: startedAt + policy.initialDelayMs,
    graceUntil: at + thresholdMs(policy),
  };
  const effects = letGo(before);
  if (policy.kind === 'startup' && known === 'passed') return { state: { ...fresh, phase: 'done' }, effects };
  if (isGated) return { state: { ...fresh, phase: 'gated' }, effects };
  // Workers of which a verdict is known were found all at once, by a daemon that has just begun, and can wait.
  const spreadMs = known === 'unknown' ? rushMs(policy) : policy.spread * policy.periodMs;
  const gridAt = Math.max(at, fresh.notBefore) + spreadMs;
  return waitUntil({ ...fresh, gridAt }, at, gridAt, effects);
};

/** The startup probe kept to its own place, so that this one is apart from its like already. */
const openGate: ProbeTransition<'started'> = (state, { at }) => {
  const gridAt = Math.max(at, state.notBefore);
  return waitUntil({ ...state, gridAt }, at, gridAt);
};

const ask: ProbeTransition<'timer'> = (state) => {
  const { generation, attempt } = state;
  return { state: { ...state, phase: 'asking', isDoubtful: false }, effects: [{ type: 'ask', generation, attempt }] };
};

const judge: ProbeTransition<'result'> = (state, { at, outcome, detail }, policy) => {
  const isOurs = outcome === 'missing' || (outcome === 'fail' && state.isDoubtful);
  const counted: ProbeState =
    outcome === 'pass'
      ? { ...state, passes: state.passes + 1, failures: 0, misses: 0 }
      : !isOurs
        ? { ...state, passes: 0, failures: state.failures + 1 }
        : at < state.graceUntil
          ? state
          : { ...state, passes: 0, misses: state.misses + 1 };
  const verdict = settle(counted, policy);
  const isNews = verdict !== state.verdict && verdict !== 'unknown';
  const { generation } = state;
  const effects: readonly ProbeEffect[] = isNews ? [{ type: 'changed', generation, verdict, detail }] : [];
  if (policy.kind === 'startup' && verdict === 'passed') {
    return { state: { ...counted, verdict, phase: 'done', attempt: state.attempt + 1, isDoubtful: false }, effects };
  }
  return waitUntil({ ...counted, verdict }, at, nextPlace(state, at, policy), effects);
};

/** What was missed up to now may have been missed because nobody was here to see it. */
const pardon = (state: ProbeState, at: number, policy: ProbePolicy): ProbeState => ({
  ...state,
  misses: 0,
  graceUntil: Math.max(state.graceUntil, at + thresholdMs(policy)),
});

const noteStall: ProbeTransition<'stalled'> = (state, { at }, policy) => stay(pardon(state, at, policy));

/** After a stall many probes are overdue together: each waits a little, and is back at its place with its next attempt. */
const putOff: ProbeTransition<'stalled'> = (state, { at }, policy) => {
  const pardoned = pardon(state, at, policy);
  return state.dueAt > at ? stay(pardoned) : waitUntil(pardoned, at, at + rushMs(policy));
};

const doubt: ProbeTransition<'stalled'> = (state, { at }, policy) =>
  stay({ ...pardon(state, at, policy), isDoubtful: true });

const close: ProbeTransition<'close'> = (state) => ({
  state: { ...state, phase: 'idle', attempt: state.attempt + 1, isDoubtful: false },
  effects: letGo(state),
});

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Late and doubled timers and results carry an old number and never come this far. */
// oxfmt-ignore
export const PROBE_TABLE: ProbeTable = {
  idle:    { begin: begin, started: ignore,   timer: unexpected, result: unexpected, stalled: ignore,    close: ignore },
  gated:   { begin: begin, started: openGate, timer: unexpected, result: unexpected, stalled: noteStall, close: close },
  waiting: { begin: begin, started: ignore,   timer: ask,        result: unexpected, stalled: putOff,    close: close },
  asking:  { begin: begin, started: ignore,   timer: ignore,     result: judge,      stalled: doubt,     close: close },
  done:    { begin: begin, started: ignore,   timer: unexpected, result: unexpected, stalled: ignore,    close: close },
};

/** A worker begins once; of what else is said, only what this generation and this attempt can mean. */
const isStale = (state: ProbeState, event: ProbeEvent): boolean => {
  if (event.type === 'stalled') return false;
  if (event.type === 'begin') return event.generation <= state.generation;
  if (event.generation !== state.generation) return true;
  return 'attempt' in event && event.attempt !== state.attempt;
};

/** One event: the next state, and what to do about it. `table` is only given by tests that mutate it. */
export const stepProbe = (
  state: ProbeState,
  event: ProbeEvent,
  policy: ProbePolicy,
  table: ProbeTable = PROBE_TABLE,
): ProbeStep => {
  if (isStale(state, event)) return stay(state);
  // The column was derived from this very event, which TypeScript cannot follow through the lookup.
  const transition = table[state.phase][event.type satisfies ProbeColumn] as ProbeTransition;
  return transition(state, event, policy);
};
