/**
 * The words that people read (`drover ls`), from the phases of machines. Two tables; nowhere else is a status made.
 */
import type { AppStatus, WorkerStatus } from '../protocol/index.ts';
import type { ChangeKind } from './operation-types.ts';
import type { WorkerPhase } from './worker-types.ts';

/** `stopping` is the impolite end: nobody waits for requests any more. */
export const WORKER_STATUS: Readonly<Record<WorkerPhase, WorkerStatus>> = {
  stopped: 'exited',
  starting: 'starting',
  running: 'ready',
  aborting: 'stopping',
  draining: 'draining',
  killing: 'stopping',
  backoff: 'backoff',
  crashed: 'exited',
};

export interface SlotStatus {
  readonly phase: WorkerPhase;
  /** Of the replacement that is not handed over yet; null without one. */
  readonly replacementPhase: WorkerPhase | null;
  /** In a crash loop, see `WorkerState.loops`. */
  readonly isLooping: boolean;
}

export interface AppSituation {
  readonly wanted: 'up' | 'down';
  /** The slots the app should have; none when it was scaled to 0. */
  readonly slots: readonly SlotStatus[];
  /** The operation under way, or null. */
  readonly operation: ChangeKind | null;
}

const ALIVE: ReadonlySet<WorkerPhase> = new Set(['starting', 'running', 'aborting', 'draining', 'killing']);
/** Operations during which too few ready workers are on the way, not missing. */
const FILLING: ReadonlySet<ChangeKind | null> = new Set<ChangeKind | null>(['start', 'restart', 'scale']);

const isAlive = ({ phase, replacementPhase }: SlotStatus): boolean =>
  ALIVE.has(phase) || (replacementPhase !== null && ALIVE.has(replacementPhase));
const isReady = ({ phase }: SlotStatus): boolean => phase === 'running';
const isOver = ({ phase }: SlotStatus): boolean => phase === 'stopped' || phase === 'crashed';

export interface StatusRule {
  readonly status: AppStatus;
  readonly when: string;
  readonly holds: (app: AppSituation) => boolean;
}

/** The first rule that holds decides; the last one always does. */
export const APP_STATUS_RULES: readonly StatusRule[] = [
  {
    status: 'stopping',
    when: 'it should be down, and a worker still lives',
    holds: ({ wanted, slots }) => wanted === 'down' && slots.some(isAlive),
  },
  {
    status: 'stopped',
    when: 'it should be down, or has no slots',
    holds: ({ wanted, slots }) => wanted === 'down' || slots.length === 0,
  },
  {
    status: 'failed',
    when: 'every worker ended for good, at least one of them badly',
    holds: ({ slots, operation }) =>
      operation === null && slots.every(isOver) && slots.some(({ phase }) => phase === 'crashed'),
  },
  {
    status: 'stopped',
    when: 'every worker ended well and for good',
    holds: ({ slots, operation }) => operation === null && slots.every(isOver),
  },
  {
    status: 'crash-loop',
    when: 'a slot is in a crash loop, and no other worker is ready',
    holds: ({ slots }) =>
      slots.some(({ isLooping }) => isLooping) && !slots.some((slot) => isReady(slot) && !slot.isLooping),
  },
  {
    status: 'degraded',
    when: 'a slot is in a crash loop',
    holds: ({ slots }) => slots.some(({ isLooping }) => isLooping),
  },
  { status: 'online', when: 'every slot has a ready worker', holds: ({ slots }) => slots.every(isReady) },
  {
    status: 'starting',
    when: 'no worker is ready, or a start, restart or scale is under way',
    holds: ({ slots, operation }) => !slots.some(isReady) || FILLING.has(operation),
  },
  { status: 'degraded', when: 'otherwise: some slots have no ready worker', holds: () => true },
];

/** The status of an app. */
export const appStatus = (app: AppSituation): AppStatus =>
  APP_STATUS_RULES.find((rule) => rule.holds(app))?.status ?? 'degraded';
