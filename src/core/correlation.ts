/**
 * Which events belong together: those of one operation, with what happens to the workers that it changes; and those of one
 * trouble of a slot, from the first that tells of it over the ladder, the replacement that follows from it, and what became
 * of that. What belongs together carries one id. Refuses to guess: an event that could be of several has none.
 */
import type { EventInput, EventType } from '../protocol/index.ts';
import { HEAL_POLICY } from './healing.ts';

interface Running {
  readonly id: string;
  readonly correlation: string;
  readonly slots: readonly number[];
}

/** What is wrong with a slot. */
interface Episode {
  readonly correlation: string;
  /** Names of what is wrong now. */
  readonly open: readonly string[];
  /** The ladder has done something about it. */
  readonly isTreated: boolean;
  /** Nothing is wrong any more, but the ladder has yet to see that it stays so; null: it is not over. */
  readonly untilAt: number | null;
}

/** Of one app; plain data. */
export interface CorrelationState {
  readonly running: Running | null;
  /** By worker, `app/slot`. */
  readonly episodes: Readonly<Record<string, Episode>>;
}

export interface CorrelationStep {
  readonly state: CorrelationState;
  readonly correlation: string | null;
}

export interface Ids {
  /** Of whoever asked for what happens now. */
  readonly asked: () => string;
  /** Of what happens by itself. */
  readonly fresh: () => string;
  /** Of an operation that an earlier daemon began. */
  readonly recall: (operation: string) => string | null;
}

export const newCorrelation = (): CorrelationState => ({ running: null, episodes: {} });

/** As long as the ladder takes to believe that something has helped: what comes back within it is the same trouble. */
const PROVE_MS = Math.max(...Object.values(HEAL_POLICY.proveMs));

const nameIn = (event: EventInput, field: string): string => `${field} ${String(event.data?.[field])}`;

type Naming = (event: EventInput) => string;
const DOWN: Naming = () => 'down';

/** What an event says is wrong from now on. */
const OPENS: Partial<Readonly<Record<EventType, Naming>>> = {
  'worker-blocked': () => 'blocked',
  'worker-hung': () => 'blocked',
  'worker-ejected': () => 'ejected',
  'worker-exited': DOWN,
  'worker-backoff': DOWN,
  'worker-start-timeout': DOWN,
  'crash-loop': () => 'loop',
  'probe-failed': (event) => nameIn(event, 'probe'),
  'check-failed': (event) => nameIn(event, 'check'),
  'budget-exceeded': (event) => nameIn(event, 'budget'),
};

/** What it says is wrong no more. */
const CLOSES: Partial<Readonly<Record<EventType, Naming>>> = {
  'worker-unblocked': () => 'blocked',
  'worker-returned': () => 'ejected',
  'crash-loop-ended': () => 'loop',
  'probe-passed': (event) => nameIn(event, 'probe'),
  'check-passed': (event) => nameIn(event, 'check'),
  'budget-met': (event) => nameIn(event, 'budget'),
};

/** Steps of the ladder. */
const TREATS: ReadonlySet<EventType> = new Set([
  'worker-recovering',
  'worker-recycled',
  'worker-quarantined',
  'heal-held-back',
]);

/** What an operation does to a worker, if it is one of those that it changes. */
const LIFECYCLE: ReadonlySet<EventType> = new Set([
  'worker-spawned',
  'worker-adopted',
  'worker-ready',
  'worker-draining',
  'worker-drained',
  'worker-killed',
  'worker-exited',
  'worker-backoff',
  'worker-start-timeout',
]);

/** What somebody has asked for. */
const ASKED: ReadonlySet<EventType> = new Set(['app-added', 'app-changed', 'worker-signalled']);

/** One event of the app, in the order in which they happen; `at` is monotonic. */
export const stepCorrelation = (state: CorrelationState, event: EventInput, at: number, ids: Ids): CorrelationStep => {
  const current = forget(state, at);
  if (event.type === 'operation-started' || event.type === 'operation-resumed') return begin(current, event, ids);
  if (event.type === 'operation-ended') {
    return { state: { ...current, running: null }, correlation: current.running?.correlation ?? null };
  }
  if (event.type === 'app-removed') return remove(current, ids);
  if (ASKED.has(event.type)) return { state: current, correlation: ids.asked() };
  const { worker = null } = event;
  return worker === null ? ofApp(current) : ofWorker(current, event, worker, at, ids);
};

/** Nothing is wrong with an app that is gone; the operation that removed it is about to end. */
const remove = ({ running }: CorrelationState, ids: Ids): CorrelationStep => ({
  state: { running, episodes: {} },
  correlation: running?.correlation ?? ids.asked(),
});

/** There is nothing to remember. */
export const isCorrelationIdle = ({ running, episodes }: CorrelationState): boolean =>
  running === null && Object.keys(episodes).length === 0;

/** Episodes whose time has passed. */
const forget = (state: CorrelationState, at: number): CorrelationState => {
  const entries = Object.entries(state.episodes);
  const kept = entries.filter(([, { untilAt }]) => untilAt === null || at < untilAt);
  return kept.length === entries.length ? state : { ...state, episodes: Object.fromEntries(kept) };
};

const begin = (state: CorrelationState, event: EventInput, ids: Ids): CorrelationStep => {
  const { operation } = event;
  if (operation === undefined) return { state, correlation: null };
  const { id, slots, isAsked } = operation;
  const recalled = event.type === 'operation-resumed' ? ids.recall(id) : null;
  // One that Drover began by itself is about the trouble of the slot that it changes.
  const [slot] = slots;
  const trouble = slots.length === 1 ? state.episodes[`${event.app}/${slot}`] : undefined;
  const correlation = recalled ?? (isAsked ? ids.asked() : (trouble?.correlation ?? ids.fresh()));
  return { state: { ...state, running: { id, correlation, slots } }, correlation };
};

/** Of the app as a whole: of what is going on, where that is one thing. */
const ofApp = (state: CorrelationState): CorrelationStep => {
  const going = [state.running, ...Object.values(state.episodes).filter(({ untilAt }) => untilAt === null)];
  const ids = new Set(going.flatMap((one) => (one === null ? [] : [one.correlation])));
  const [id = null] = ids;
  return { state, correlation: ids.size === 1 ? id : null };
};

const ofWorker = (
  state: CorrelationState,
  event: EventInput,
  worker: string,
  at: number,
  ids: Ids,
): CorrelationStep => {
  const { type } = event;
  const { running } = state;
  const isChanged = running?.slots.includes(Number(worker.slice(worker.lastIndexOf('/') + 1))) ?? false;
  const known = state.episodes[worker];
  const isOfOperation = running !== null && isChanged && LIFECYCLE.has(type);
  const opens = isOfOperation ? undefined : OPENS[type]?.(event);
  const isTreated = TREATS.has(type);
  const episode =
    known ??
    (opens === undefined && !isTreated
      ? null
      : { correlation: ids.fresh(), open: [], isTreated: false, untilAt: null });
  if (episode === null) return { state, correlation: isOfOperation ? running.correlation : null };
  const next = follow({ ...episode, isTreated: episode.isTreated || isTreated }, event, opens, at);
  const { [worker]: _, ...others } = state.episodes;
  return {
    state: { ...state, episodes: next === null ? others : { ...others, [worker]: next } },
    correlation: isOfOperation ? running.correlation : episode.correlation,
  };
};

/** Null: it is over. */
const follow = (episode: Episode, event: EventInput, opens: string | undefined, at: number): Episode | null => {
  const closes = CLOSES[event.type]?.(event);
  // Whoever is there now is another process, or begins anew; a loop of crashes ends by its own event.
  const left = event.type === 'worker-ready' ? episode.open.filter((name) => name === 'loop') : episode.open;
  const open = left.filter((name) => name !== closes && name !== opens);
  if (opens !== undefined) open.push(opens);
  if (open.length > 0) return { ...episode, open, untilAt: null };
  if (!episode.isTreated) return null;
  return { ...episode, open, untilAt: TREATS.has(event.type) ? null : at + PROVE_MS };
};
