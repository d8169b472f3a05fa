/**
 * After a daemon restart: what becomes of each worker that the records say was running. The records may be old, and a
 * pid may belong to somebody else by now, so a worker is only adopted when pid, start time and boot agree. A worker
 * that lives but does not speak to us any more is replaced, start before stop: it serves, but could never be drained.
 *
 *   probing ──it lives──▶ waiting-for-hello ──hello──▶ adopted
 *      │  │ no agent, or hello came first ──────────────▲
 *      │  ▼                   │ silence                  │ exit
 *      └▶ gone ◀──────exit────┴──▶ replaced              ▼ (the worker machine's business)
 */
import type { Exit } from './exit.ts';
import type { Each, Step } from './machine.ts';

export interface WorkerRecord {
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
  /** Start time in clock ticks since boot: together with pid and boot it names a process for ever. */
  readonly startTimeTicks: number;
  readonly bootId: string;
  readonly wasReady: boolean;
  /** False for programs other than Node: nobody will say hello. */
  readonly hasAgent: boolean;
}

export interface ObservedProcess {
  readonly isAlive: boolean;
  readonly isZombie: boolean;
  readonly startTimeTicks: number | null;
  readonly bootId: string;
  /** Its environment carries the spawn mark of the record; null where it could not be read. */
  readonly hasSpawnMark: boolean | null;
  /** It was started by the daemon of another home, which lives: this home is a copy of that one, records and all. */
  readonly isElsewhere: boolean;
  /** How it ended, where the kernel still knows. */
  readonly exit: Exit | null;
}

export type AdoptionVerdict = 'adopt' | 'rebooted' | 'lost' | 'foreign' | 'elsewhere';

/** Whether the recorded worker is the observed process. */
export const judgeRecord = (record: WorkerRecord, observed: ObservedProcess): AdoptionVerdict => {
  if (observed.bootId !== record.bootId) return 'rebooted';
  if (!observed.isAlive || observed.isZombie) return 'lost';
  if (observed.startTimeTicks !== record.startTimeTicks) return 'foreign';
  if (observed.hasSpawnMark === false) return 'foreign';
  return observed.isElsewhere ? 'elsewhere' : 'adopt';
};

export type AdoptionPhase = 'probing' | 'waiting-for-hello' | 'adopted' | 'replaced' | 'gone';

export interface AdoptionState {
  readonly phase: AdoptionPhase;
  readonly record: WorkerRecord;
  /** Its agent spoke before the probe was done. */
  readonly hasSpoken: boolean;
}

interface Bound {
  readonly generation: number;
}

export type AdoptionEvent =
  | Each<'probed', Bound & { readonly observed: ObservedProcess }>
  /** Its agent spoke, over the channel that was kept or by reconnecting. */
  | Each<'hello', Bound>
  | Each<'exited', Bound & { readonly exit: Exit }>
  | Each<'timer', Bound>;

export type AdoptionEffect =
  /** Give the process to the slot's worker machine (`adopt`), and watch for its end. */
  | { readonly type: 'adopt'; readonly generation: number; readonly pid: number; readonly isReady: boolean }
  /** The worker is no more; start another one in its slot. */
  | { readonly type: 'lost'; readonly generation: number; readonly exit: Exit; readonly reason: string }
  /** Boot a replacement, hand over, and only then end this one. */
  | { readonly type: 'replace'; readonly generation: number; readonly reason: string }
  | { readonly type: 'arm'; readonly timer: 'hello'; readonly afterMs: number; readonly generation: number }
  | { readonly type: 'disarm'; readonly timer: 'hello' }
  | { readonly type: 'report'; readonly event: 'defect'; readonly reason: string };

export interface AdoptionPolicy {
  /** How long an agent may take to speak; a blocked event loop must not cost a worker its place at once. */
  readonly helloTimeoutMs: number;
}

export type AdoptionStep = Step<AdoptionState, AdoptionEffect>;
export type AdoptionColumn = AdoptionEvent['type'];
type EventOf<Column extends AdoptionColumn> = Extract<AdoptionEvent, { type: Column }>;
export type AdoptionTransition<Column extends AdoptionColumn = AdoptionColumn> = (
  state: AdoptionState,
  event: EventOf<Column>,
  policy: AdoptionPolicy,
) => AdoptionStep;
export type AdoptionTable = {
  readonly [Phase in AdoptionPhase]: {
    // Spelt out: as `AdoptionTransition<Column>` TypeScript would refuse a transition that takes more events.
    readonly [C in AdoptionColumn]: (state: AdoptionState, event: EventOf<C>, policy: AdoptionPolicy) => AdoptionStep;
  };
};

export const newAdoption = (record: WorkerRecord): AdoptionState => ({ phase: 'probing', record, hasSpoken: false });

const WHY_LOST: Readonly<Record<Exclude<AdoptionVerdict, 'adopt'>, string>> = {
  rebooted: 'the machine was restarted',
  lost: 'it ended while the daemon was away',
  foreign: 'its pid belongs to another process now',
  elsewhere: 'it belongs to the daemon of another home, of which this one is a copy',
};

const unknownExit = (detail: string): Exit => ({ code: null, signal: null, cause: 'unknown', detail });

// ── transitions: the cells of the table ──────────────────────────────────────────────────────────────────────────

/** Known to happen, and nothing to do. */
const ignore: AdoptionTransition = (state) => ({ state, effects: [] });

/** Cannot happen unless Drover has a defect: say so and carry on. */
const unexpected: AdoptionTransition = (state, event) => ({
  state,
  effects: [{ type: 'report', event: 'defect', reason: `${event.type} was not expected while ${state.phase}` }],
});

const judge: AdoptionTransition<'probed'> = (state, { observed }, policy) => {
  const { record, hasSpoken } = state;
  const { generation, pid } = record;
  const verdict = judgeRecord(record, observed);
  if (verdict !== 'adopt') {
    const reason = WHY_LOST[verdict];
    // Only of a process that was ours does the kernel's answer tell anything.
    const exit = verdict === 'lost' && observed.exit !== null ? observed.exit : unknownExit(reason);
    return { state: { ...state, phase: 'gone' }, effects: [{ type: 'lost', generation, exit, reason }] };
  }
  // What it became ready for meanwhile, its hello tells: the ordinary look at its readiness follows.
  const adopt: AdoptionEffect = { type: 'adopt', generation, pid, isReady: record.wasReady };
  if (hasSpoken || !record.hasAgent) return { state: { ...state, phase: 'adopted' }, effects: [adopt] };
  return {
    state: { ...state, phase: 'waiting-for-hello' },
    effects: [adopt, { type: 'arm', timer: 'hello', afterMs: policy.helloTimeoutMs, generation }],
  };
};

const noteEarly: AdoptionTransition<'hello'> = (state) => ({ state: { ...state, hasSpoken: true }, effects: [] });

const bury: AdoptionTransition<'exited'> = (state, { generation, exit }) => ({
  state: { ...state, phase: 'gone' },
  effects: [{ type: 'lost', generation, exit, reason: WHY_LOST.lost }],
});

const confirm: AdoptionTransition<'hello'> = (state) => ({
  state: { ...state, phase: 'adopted' },
  effects: [{ type: 'disarm', timer: 'hello' }],
});

/** The worker machine has it already and deals with its end. */
const forget: AdoptionTransition<'exited'> = (state) => ({
  state: { ...state, phase: 'gone' },
  effects: [{ type: 'disarm', timer: 'hello' }],
});

const replace: AdoptionTransition<'timer'> = (state, { generation }, policy) => ({
  state: { ...state, phase: 'replaced' },
  effects: [{ type: 'replace', generation, reason: `its agent did not answer within ${policy.helloTimeoutMs} ms` }],
});

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

// oxfmt-ignore
export const ADOPTION_TABLE: AdoptionTable = {
  'probing':           { probed: judge,  hello: noteEarly, exited: bury,   timer: unexpected },
  'waiting-for-hello': { probed: ignore, hello: confirm,   exited: forget, timer: replace },
  'adopted':           { probed: ignore, hello: ignore,    exited: ignore, timer: ignore },
  'replaced':          { probed: ignore, hello: ignore,    exited: ignore, timer: ignore },
  'gone':              { probed: ignore, hello: ignore,    exited: ignore, timer: ignore },
};

/** One event: the next state, and what to do about it. `table` is only given by tests that mutate it. */
export const stepAdoption = (
  state: AdoptionState,
  event: AdoptionEvent,
  policy: AdoptionPolicy,
  table: AdoptionTable = ADOPTION_TABLE,
): AdoptionStep => {
  if (event.generation !== state.record.generation) return { state, effects: [] };
  // The column was derived from this very event, which TypeScript cannot follow through the lookup.
  const transition = table[state.phase][event.type] as AdoptionTransition;
  return transition(state, event, policy);
};
