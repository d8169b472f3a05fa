/** What lasts about an app, what an operation makes of it and asks for, and who is told. */
import type { AppConfig, LoopBlock, RequestKey } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';
import type { OperationPlan, OperationRun } from './operation-run.ts';

export interface AppState {
  readonly config: AppConfig;
  readonly release: number;
  /** How many slots it should have. */
  readonly instances: number;
  readonly wanted: 'up' | 'stopped';
  /** Of an app that is wanted up: those that were stopped one by one, until something starts them again. */
  readonly stoppedSlots: readonly number[];
  readonly readySignalSeen: boolean;
}

/** What the operator wants of it, whatever comes of that. */
export type AppWish = Pick<AppState, 'wanted' | 'stoppedSlots'>;

/** What an operation makes of the app; kept only when it succeeds. */
export type AppChange = Partial<Pick<AppState, 'config' | 'release' | 'instances' | 'wanted'>>;

export interface BeginOptions {
  /** Not before this. */
  readonly after?: Promise<unknown> | undefined;
  /** What is wanted from now on, whatever comes of the operation: a start that failed is retried, a stop is never undone. */
  readonly wants?: AppState['wanted'] | undefined;
  /** Only these slots were asked for; null: the app. */
  readonly slots?: readonly number[] | null;
  /** False for what the supervisor does by itself: it is not refused where it cannot be written. */
  readonly isAsked?: boolean;
  /** What asked for it, where that may be asked once more. */
  readonly request?: RequestKey | null;
  /** Writes what belongs to it: on record together with it, or not at all. */
  readonly alongside?: (() => void) | undefined;
}

export interface AppListener {
  /** What is wanted of it becomes another: write it down. Throws where that cannot be done. */
  readonly onWanted: (app: App, wish: AppWish) => void;
  /** The lasting state changed: write it down. */
  readonly onState: (app: App) => void;
  readonly onOperation: (app: App, run: OperationRun) => void;
  /** Its deletion ends: nothing is to be left of it on record. */
  readonly onDeleted: (app: App) => void;
  readonly health?: HealthHook;
}

/** Whoever watches the health of workers: is told what happens to them, and asked what a start still waits for. */
export interface HealthHook {
  /** Phase, readiness, acceptance or process of it changed. */
  changed(app: App, tenant: Tenant): void;
  /** Its agent said hello: it knows nothing of what was said to an agent before. */
  greeted(app: App, tenant: Tenant, handle: WorkerHandle): void;
  reported(app: App, tenant: Tenant, handle: WorkerHandle): void;
  /** Its event loop has answered the ping `id`. */
  answered(app: App, tenant: Tenant, handle: WorkerHandle, id: number): void;
  /** The watchdog of a worker says that its event loop is blocked now. */
  blocked(app: App, tenant: Tenant, handle: WorkerHandle, block: LoopBlock): void;
  /** What it has to show yet before it counts as ready, in words; {@link Tenant.checkReadiness} is called when that changes. */
  missing(app: App, tenant: Tenant): readonly string[];
}

/** Anything that may change which ports the app serves. */
export const isOtherProgram = (from: AppState, to: AppState): boolean => {
  const identity = ({ config, release }: AppState): string =>
    JSON.stringify([release, config.command, config.env, config.envFile, config.callerEnv, config.cwd]);
  return identity(from) !== identity(to);
};

/** What is wanted once an operation on some slots was asked for. */
export const wishAfter = (
  before: AppState,
  { kind, changes, isAsked }: Pick<OperationPlan, 'kind' | 'changes' | 'isAsked'>,
  { wants, slots = null }: Pick<BeginOptions, 'wants' | 'slots'> = {},
): AppWish => {
  // What the supervisor does by itself is nobody's wish, such as the end of all workers with their daemon.
  if (!isAsked) return { wanted: before.wanted, stoppedSlots: before.stoppedSlots };
  const wanted = wants ?? before.wanted;
  if (wanted === 'stopped') return { wanted, stoppedSlots: [] };
  const stopped = new Set(before.stoppedSlots);
  // Who starts some workers of a stopped app leaves the others stopped.
  if (before.wanted === 'stopped' && slots !== null) {
    for (let slot = 0; slot < before.instances; slot++) if (!slots.includes(slot)) stopped.add(slot);
  }
  for (const { slot, action } of changes) {
    if (action !== 'remove') stopped.delete(slot);
    else if (kind === 'stop') stopped.add(slot);
  }
  return { wanted, stoppedSlots: [...stopped].toSorted((a, b) => a - b) };
};

export const isSameWish = (one: AppWish, other: AppWish): boolean =>
  one.wanted === other.wanted && one.stoppedSlots.join() === other.stoppedSlots.join();
