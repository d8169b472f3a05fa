/** The words of a worker's machine (`worker.ts`): its phases, what it is told, what it asks for. */
import type { EventType } from '../protocol/index.ts';
import type { Ending, Exit } from './exit.ts';
import type { Each, Step } from './machine.ts';
import type { RestartConfig } from './restart-limit.ts';

export type WorkerPhase =
  | 'stopped'
  | 'starting'
  | 'running'
  | 'aborting'
  | 'draining'
  | 'killing'
  | 'backoff'
  | 'crashed';

/** `steady` runs while a worker that came out of a crash loop proves itself. */
export type WorkerTimer = 'ready' | 'steady' | 'drain' | 'kill' | 'backoff';

export interface WorkerState {
  readonly phase: WorkerPhase;
  /** What was asked for. Only landings compare it with the phase. */
  readonly wanted: 'up' | 'down';
  /** Of the current spawn, or of the last one where none lives. */
  readonly generation: number;
  /** Null without a process, and while its spawn was not yet confirmed. */
  readonly pid: number | null;
  /** This generation has listened; in `backoff`, the last one has. */
  readonly hasListened: boolean;
  readonly hasBeenReady: boolean;
  /** Why the machine is ending this generation; null while it should live. */
  readonly ending: Ending | null;
  /** Times of the crashes that count towards the restart limit. */
  readonly crashes: readonly number[];
  /** Starts in a row that never got ready. */
  readonly failedStarts: number;
  /** Crashes in a row beyond the restart limit; above 0 the slot is in a crash loop. */
  readonly loops: number;
  /** Spawns that nobody asked for. */
  readonly restarts: number;
  readonly lastExit: Exit | null;
}

interface Timed {
  readonly at: number;
}
interface Bound extends Timed {
  readonly generation: number;
}

export type WorkerEvent =
  | Each<'start' | 'stop' | 'kill' | 'hurry', Timed>
  /** A live worker was found after a daemon restart; `generation` is the recorded one. */
  | Each<'adopt', Bound & { readonly pid: number; readonly isReady: boolean }>
  | Each<'spawned', Bound & { readonly pid: number }>
  | Each<'spawn-failed', Bound & { readonly reason: string }>
  | Each<'listening' | 'ready' | 'drained', Bound>
  | Each<'hung', Bound & { readonly reason: string }>
  | Each<'exited', Bound & { readonly exit: Exit }>
  | Each<'timer', Bound & { readonly timer: WorkerTimer }>;

export type WorkerEffect =
  /** Answered by `spawned` or `spawn-failed`, and after `spawned` by exactly one `exited`. */
  | { readonly type: 'spawn'; readonly generation: number }
  /** Ask it to finish and go: through the agent, else by SIGTERM. Without a process yet: nothing. */
  | { readonly type: 'drain'; readonly generation: number }
  | { readonly type: 'signal'; readonly generation: number; readonly signal: 'SIGKILL' }
  | { readonly type: 'arm'; readonly timer: WorkerTimer; readonly afterMs: number; readonly generation: number }
  | { readonly type: 'disarm'; readonly timer: WorkerTimer }
  | { readonly type: 'report'; readonly event: EventType; readonly reason: string | null };

export interface WorkerPolicy {
  readonly restart: RestartConfig;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Grace between the end of patience and SIGKILL, and between one SIGKILL and the next. */
  readonly killAfterMs: number;
  /** Fewer than half of the app's slots are ready. */
  readonly isShortOfWorkers: boolean;
  /** The slot's next unused generation. Two machines may share a slot, so neither can count by itself. */
  readonly nextGeneration: number;
}

export type WorkerStep = Step<WorkerState, WorkerEffect>;

/** Names of the table's columns: event types, with one column for each timer. */
export type WorkerColumn = Exclude<WorkerEvent['type'], 'timer'> | `timer:${WorkerTimer}`;
type EventOf<Column extends WorkerColumn> = Column extends `timer:${string}`
  ? Extract<WorkerEvent, { type: 'timer' }>
  : Extract<WorkerEvent, { type: Column }>;
export type Transition<Column extends WorkerColumn = WorkerColumn> = (
  state: WorkerState,
  event: EventOf<Column>,
  policy: WorkerPolicy,
) => WorkerStep;
export type WorkerTable = {
  readonly [Phase in WorkerPhase]: {
    // Spelt out: as `Transition<Column>` TypeScript would refuse a transition that takes more events.
    readonly [Column in WorkerColumn]: (state: WorkerState, event: EventOf<Column>, policy: WorkerPolicy) => WorkerStep;
  };
};
