/**
 * The life of one tenancy of a slot: what to do when its worker starts, gets ready, crashes, hangs or is asked to go.
 * A reload makes a second machine for the slot and sends this one `stop`. Refuses to spawn, signal, wait or read a
 * clock: it answers with effects.
 *
 *              start                  ready                 stop
 *   stopped ──────────▶ starting ─────────────▶ running ─────────▶ draining ──exited──▶ stopped
 *                        │  ▲ │  timeout, hung    │ exited           │ overdue             ▲
 *                        │  │ └────▶ aborting ◀───┤                  ▼                     │
 *                 exited │  │           │ overdue │               killing ───exited────────┘
 *                        ▼  │           └─────────┼──────────────────▲
 *                       backoff ◀────────exited───┘ (at once while within the restart limit)
 *                        or, by restart policy, stopped (clean) and crashed (not clean)
 */
import type { EventType } from '../protocol/index.ts';
import { describeExit, explainExit, failedSpawn } from './exit.ts';
import type { Ending, Exit } from './exit.ts';
import { backoffMs, recentCrashes, restAfter } from './restart-limit.ts';
import type {
  WorkerPhase,
  WorkerTimer,
  WorkerState,
  WorkerEvent,
  WorkerEffect,
  WorkerPolicy,
  WorkerStep,
  WorkerColumn,
  Transition,
  WorkerTable,
} from './worker-types.ts';

/** A machine that was never started. */
export const newWorker = (): WorkerState => ({
  phase: 'stopped',
  wanted: 'down',
  generation: 0,
  pid: null,
  hasListened: false,
  hasBeenReady: false,
  ending: null,
  crashes: [],
  failedStarts: 0,
  loops: 0,
  restarts: 0,
  lastExit: null,
});

/** One that ended for good under an earlier daemon. */
export const endedWorker = (
  generation: number,
  exit: Exit,
  { restart }: Pick<WorkerPolicy, 'restart'>,
): WorkerState => ({
  ...newWorker(),
  phase: restAfter(exit, restart) ?? 'crashed',
  wanted: 'up',
  generation,
  lastExit: exit,
});

// ── building blocks ──────────────────────────────────────────────────────────────────────────────────────────────

/** The timers that may be running in a phase: leaving it disarms them. */
const TIMERS: Readonly<Record<WorkerPhase, readonly WorkerTimer[]>> = {
  stopped: [],
  starting: ['ready'],
  running: ['steady'],
  aborting: ['kill'],
  draining: ['drain', 'kill'],
  killing: ['kill'],
  backoff: ['backoff'],
  crashed: [],
};

const report = (event: EventType, reason: string | null = null): WorkerEffect => ({ type: 'report', event, reason });

const enter = (
  from: WorkerState,
  change: Partial<WorkerState> & { readonly phase: WorkerPhase },
  effects: readonly WorkerEffect[],
): WorkerStep => ({
  state: { ...from, ...change },
  effects: [...TIMERS[from.phase].map((timer) => ({ type: 'disarm', timer }) as const), ...effects],
});

const stay = (state: WorkerState, effects: readonly WorkerEffect[] = []): WorkerStep => ({ state, effects });

const spawnNext = (
  from: WorkerState,
  policy: WorkerPolicy,
  change: Partial<WorkerState>,
  reports: readonly WorkerEffect[] = [],
): WorkerStep => {
  const generation = policy.nextGeneration;
  return enter(
    from,
    {
      phase: 'starting',
      generation,
      pid: null,
      hasListened: false,
      hasBeenReady: false,
      ending: null,
      ...change,
    },
    [
      ...reports,
      { type: 'spawn', generation },
      { type: 'arm', timer: 'ready', afterMs: policy.readyTimeoutMs, generation },
    ],
  );
};

/** Somebody wants it up who may have fixed the cause: what went wrong before does not count against it. */
const CLEAN_RECORD = { crashes: [], failedStarts: 0, loops: 0 } as const;

const endKindly = (from: WorkerState, policy: WorkerPolicy, change: Partial<WorkerState>): WorkerStep => {
  const { generation } = from;
  return enter(from, { ...change, phase: 'draining', ending: { cause: 'asked', detail: null } }, [
    { type: 'drain', generation },
    { type: 'arm', timer: 'drain', afterMs: policy.drainTimeoutMs, generation },
    report('worker-draining'),
  ]);
};

/** A worker that cannot be left alive gets no drain timeout: it serves nobody, and its slot waits for it to go. */
const endBadly = (from: WorkerState, policy: WorkerPolicy, ending: Ending, event: EventType): WorkerStep => {
  const { generation } = from;
  return enter(from, { phase: 'aborting', ending }, [
    { type: 'drain', generation },
    { type: 'arm', timer: 'kill', afterMs: policy.killAfterMs, generation },
    report(event, ending.detail),
  ]);
};

const endNow = (from: WorkerState, policy: WorkerPolicy, change: Partial<WorkerState>, reason: string): WorkerStep => {
  const { generation } = from;
  return enter(from, { ...change, phase: 'killing' }, [
    { type: 'signal', generation, signal: 'SIGKILL' },
    // Again and again: a signal that could not be sent must not leave the slot waiting for ever.
    { type: 'arm', timer: 'kill', afterMs: policy.killAfterMs, generation },
    report('worker-killed', reason),
  ]);
};

/** How the process of this machine will have ended for good, once it hears of its end; null: another one follows, or nobody wants it. */
export const finalExit = (state: WorkerState, observed: Exit, { restart }: WorkerPolicy): Exit | null => {
  if (state.wanted === 'down' || state.ending?.cause === 'asked') return null;
  const exit = explainExit(observed, state.ending, state.phase === 'killing');
  return restAfter(exit, restart) === null ? null : exit;
};

/** No process any more, although it was wanted: start it again now or later, or leave it, as the restart policy says. */
const recover = (from: WorkerState, at: number, exit: Exit, policy: WorkerPolicy): WorkerStep => {
  const { restart } = policy;
  const exited = report('worker-exited', describeExit(exit));
  const gone = { pid: null, lastExit: exit, ending: null } as const;
  const rest = restAfter(exit, restart);
  if (rest !== null) return enter(from, { ...gone, phase: rest }, [exited]);
  const crashes = [...recentCrashes(from.crashes, at, restart.crashLoop.withinMs), at];
  const loops = from.loops > 0 || crashes.length > restart.crashLoop.restarts ? from.loops + 1 : 0;
  const failedStarts = from.hasBeenReady ? 0 : from.failedStarts + 1;
  const record = { ...gone, crashes, loops, failedStarts };
  const reports = [exited];
  if (loops === 1) {
    reports.push(report('crash-loop', `${crashes.length} crashes within ${restart.crashLoop.withinMs} ms`));
  }
  const waitMs = backoffMs({ failedStarts, loops, restart, isShortOfWorkers: policy.isShortOfWorkers });
  if (waitMs === 0) return spawnNext(from, policy, { ...record, restarts: from.restarts + 1 }, reports);
  return enter(from, { ...record, phase: 'backoff' }, [
    ...reports,
    { type: 'arm', timer: 'backoff', afterMs: waitMs, generation: from.generation },
    report('worker-backoff', `next start in ${waitMs} ms`),
  ]);
};

/** The process that was being ended is gone: now what was asked for meanwhile counts. */
const land = (from: WorkerState, at: number, observed: Exit, policy: WorkerPolicy): WorkerStep => {
  const exit = explainExit(observed, from.ending, from.phase === 'killing');
  if (from.wanted === 'down') {
    return enter(from, { phase: 'stopped', pid: null, lastExit: exit, ending: null }, [
      report('worker-exited', describeExit(exit)),
    ]);
  }
  if (from.ending?.cause !== 'asked') return recover(from, at, exit, policy);
  return spawnNext(from, policy, { ...CLEAN_RECORD, lastExit: exit }, [report('worker-exited', describeExit(exit))]);
};

// ── transitions: the cells of the table ──────────────────────────────────────────────────────────────────────────

/** Known to happen, and nothing to do. */
const ignore: Transition = (state) => stay(state);

/** Cannot happen unless Drover has a defect: say so and carry on. */
const unexpected: Transition = (state, event) =>
  stay(state, [report('defect', `a worker that is ${state.phase} did not expect ${columnOf(event)}`)]);

const wantUp: Transition = (state) => stay({ ...state, wanted: 'up' });
const wantDown: Transition = (state) => stay({ ...state, wanted: 'down' });

const spawn: Transition<'start'> = (state, _event, policy) =>
  spawnNext(state, policy, { ...CLEAN_RECORD, wanted: 'up' });

const respawn: Transition<'timer:backoff' | 'hurry'> = (state, _event, policy) =>
  spawnNext(state, policy, { restarts: state.restarts + 1 });

const adopt: Transition<'adopt'> = (state, { generation, pid, isReady }, policy) => {
  const adopted: WorkerState = { ...state, wanted: 'up', generation, pid, hasListened: isReady, hasBeenReady: isReady };
  if (isReady) return enter(adopted, { phase: 'running' }, [report('worker-adopted')]);
  return enter(adopted, { phase: 'starting' }, [
    { type: 'arm', timer: 'ready', afterMs: policy.readyTimeoutMs, generation },
    report('worker-adopted'),
  ]);
};

const noteSpawned: Transition<'spawned'> = (state, { pid }) =>
  state.pid === null ? stay({ ...state, pid }, [report('worker-spawned')]) : stay(state);

const noteListening: Transition<'listening'> = (state) => stay({ ...state, hasListened: true });

const noteDrained: Transition<'drained'> = (state) => stay(state, [report('worker-drained')]);

/** It was asked to go before it was there: ask again now that somebody can hear it. */
const drainNewborn: Transition<'spawned'> = (state, { pid, generation }) =>
  state.pid === null ? stay({ ...state, pid }, [report('worker-spawned'), { type: 'drain', generation }]) : stay(state);

const killNewborn: Transition<'spawned'> = (state, { pid, generation }) =>
  state.pid === null
    ? stay({ ...state, pid }, [report('worker-spawned'), { type: 'signal', generation, signal: 'SIGKILL' }])
    : stay(state);

const serve: Transition<'ready'> = (state, _event, policy) => {
  const { generation } = state;
  const proveSteady: WorkerEffect = {
    type: 'arm',
    timer: 'steady',
    afterMs: policy.restart.crashLoop.withinMs,
    generation,
  };
  return enter(state, { phase: 'running', hasBeenReady: true, failedStarts: 0 }, [
    report('worker-ready'),
    ...(state.loops > 0 ? [proveSteady] : []),
  ]);
};

const endLoop: Transition<'timer:steady'> = (state) =>
  state.loops > 0 ? stay({ ...state, crashes: [], loops: 0 }, [report('crash-loop-ended')]) : stay(state);

const drain: Transition<'stop'> = (state, _event, policy) => endKindly(state, policy, { wanted: 'down' });

const kill: Transition<'kill'> = (state, _event, policy) =>
  endNow(state, policy, { wanted: 'down', ending: state.ending ?? { cause: 'asked', detail: null } }, 'as asked');

const abortStart: Transition<'timer:ready'> = (state, _event, policy) =>
  endBadly(
    state,
    policy,
    { cause: 'start-timeout', detail: `not ready after ${policy.readyTimeoutMs} ms` },
    'worker-start-timeout',
  );

const abortHung: Transition<'hung'> = (state, { reason }, policy) =>
  endBadly(state, policy, { cause: 'hang', detail: reason }, 'worker-hung');

/** The drain timeout is over; what is left is the app's own way of ending. Said twice, it must not begin again. */
const warn: Transition<'timer:drain'> = (state, _event, policy) => {
  if (state.ending !== null && state.ending.detail !== null) return stay(state);
  const detail = `it did not end within ${policy.drainTimeoutMs + policy.killAfterMs} ms`;
  return stay({ ...state, ending: { cause: 'asked', detail } }, [
    { type: 'arm', timer: 'kill', afterMs: policy.killAfterMs, generation: state.generation },
  ]);
};

const force: Transition<'timer:kill'> = (state, _event, policy) =>
  endNow(state, policy, {}, state.ending?.detail ?? 'it did not end by itself');

const forceAgain: Transition<'timer:kill'> = (state, _event, policy) => {
  const { generation } = state;
  return stay(state, [
    { type: 'signal', generation, signal: 'SIGKILL' },
    { type: 'arm', timer: 'kill', afterMs: policy.killAfterMs, generation },
  ]);
};

const crash: Transition<'exited'> = (state, { at, exit }, policy) => recover(state, at, exit, policy);
const crashUnborn: Transition<'spawn-failed'> = (state, { at, reason }, policy) =>
  recover(state, at, failedSpawn(reason), policy);

const landed: Transition<'exited'> = (state, { at, exit }, policy) => land(state, at, exit, policy);
const landedUnborn: Transition<'spawn-failed'> = (state, { at, reason }, policy) =>
  land(state, at, failedSpawn(reason), policy);

const rest: Transition<'stop' | 'kill'> = (state) => enter(state, { phase: 'stopped', wanted: 'down' }, []);

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Each row in three lines: what people and the supervisor say, what the process says, timers. A late delivery of the
 * same generation is `ignore`; what that generation can never have caused is `unexpected`.
 */
// oxfmt-ignore
export const WORKER_TABLE: WorkerTable = {
  stopped: {
    start: spawn, stop: wantDown, kill: wantDown, hurry: ignore, adopt: adopt,
    spawned: ignore, 'spawn-failed': ignore, listening: ignore, ready: ignore, drained: ignore, hung: ignore, exited: ignore,
    'timer:ready': ignore, 'timer:steady': ignore, 'timer:drain': ignore, 'timer:kill': ignore, 'timer:backoff': ignore,
  },
  starting: {
    start: ignore, stop: drain, kill: kill, hurry: ignore, adopt: unexpected,
    spawned: noteSpawned, 'spawn-failed': crashUnborn, listening: noteListening, ready: serve, drained: ignore, hung: abortHung, exited: crash,
    'timer:ready': abortStart, 'timer:steady': unexpected, 'timer:drain': unexpected, 'timer:kill': unexpected, 'timer:backoff': unexpected,
  },
  running: {
    start: ignore, stop: drain, kill: kill, hurry: ignore, adopt: unexpected,
    spawned: noteSpawned, 'spawn-failed': unexpected, listening: noteListening, ready: ignore, drained: ignore, hung: abortHung, exited: crash,
    'timer:ready': ignore, 'timer:steady': endLoop, 'timer:drain': unexpected, 'timer:kill': unexpected, 'timer:backoff': unexpected,
  },
  aborting: {
    start: wantUp, stop: wantDown, kill: kill, hurry: ignore, adopt: unexpected,
    spawned: drainNewborn, 'spawn-failed': landedUnborn, listening: ignore, ready: ignore, drained: noteDrained, hung: ignore, exited: landed,
    'timer:ready': ignore, 'timer:steady': ignore, 'timer:drain': unexpected, 'timer:kill': force, 'timer:backoff': unexpected,
  },
  draining: {
    start: wantUp, stop: wantDown, kill: kill, hurry: ignore, adopt: unexpected,
    spawned: drainNewborn, 'spawn-failed': landedUnborn, listening: ignore, ready: ignore, drained: noteDrained, hung: ignore, exited: landed,
    'timer:ready': ignore, 'timer:steady': ignore, 'timer:drain': warn, 'timer:kill': force, 'timer:backoff': unexpected,
  },
  killing: {
    start: wantUp, stop: wantDown, kill: wantDown, hurry: ignore, adopt: unexpected,
    spawned: killNewborn, 'spawn-failed': landedUnborn, listening: ignore, ready: ignore, drained: noteDrained, hung: ignore, exited: landed,
    'timer:ready': ignore, 'timer:steady': ignore, 'timer:drain': ignore, 'timer:kill': forceAgain, 'timer:backoff': unexpected,
  },
  backoff: {
    start: spawn, stop: rest, kill: rest, hurry: respawn, adopt: unexpected,
    spawned: ignore, 'spawn-failed': ignore, listening: ignore, ready: ignore, drained: ignore, hung: ignore, exited: ignore,
    'timer:ready': ignore, 'timer:steady': ignore, 'timer:drain': unexpected, 'timer:kill': ignore, 'timer:backoff': respawn,
  },
  crashed: {
    start: spawn, stop: rest, kill: rest, hurry: ignore, adopt: unexpected,
    spawned: ignore, 'spawn-failed': ignore, listening: ignore, ready: ignore, drained: ignore, hung: ignore, exited: ignore,
    'timer:ready': ignore, 'timer:steady': unexpected, 'timer:drain': unexpected, 'timer:kill': ignore, 'timer:backoff': unexpected,
  },
};

export const columnOf = (event: WorkerEvent): WorkerColumn =>
  event.type === 'timer' ? `timer:${event.timer}` : event.type;

/** A recorded worker is only adopted by a machine that has had none since; everything else must match exactly. */
const isStale = (state: WorkerState, event: WorkerEvent): boolean => {
  if (!('generation' in event)) return false;
  return event.type === 'adopt' ? event.generation <= state.generation : event.generation !== state.generation;
};

/** One event: the next state, and what to do about it. `table` is only given by tests that mutate it. */
export const stepWorker = (
  state: WorkerState,
  event: WorkerEvent,
  policy: WorkerPolicy,
  table: WorkerTable = WORKER_TABLE,
): WorkerStep => {
  if (isStale(state, event)) return stay(state);
  // The column was derived from this very event, which TypeScript cannot follow through the lookup.
  const transition = table[state.phase][columnOf(event)] as Transition;
  return transition(state, event, policy);
};
