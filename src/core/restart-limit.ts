/**
 * When a crashed worker is started again. The first restarts are immediate; starts that never got ready, and more
 * crashes than the restart limit allows, wait. Nothing is ever given up.
 */
import type { AppConfig, Exit } from '../protocol/index.ts';

export type RestartConfig = AppConfig['restart'];

/** With fewer than half of the slots ready, no slot waits longer than this. */
export const SHORT_OF_WORKERS_CAP_MS = 2000;

/** The crashes that still count at `at`. */
export const recentCrashes = (crashes: readonly number[], at: number, withinMs: number): readonly number[] =>
  crashes.filter((crash) => at - crash < withinMs);

export interface BackoffQuestion {
  /** Starts in a row that never got ready. */
  readonly failedStarts: number;
  /** Crashes in a row beyond the restart limit. */
  readonly loops: number;
  readonly restart: RestartConfig;
  readonly isShortOfWorkers: boolean;
}

/** How long the next start waits; 0 is at once. Grows by `factor` from `initialMs` to the cap. */
export const backoffMs = ({ failedStarts, loops, restart, isShortOfWorkers }: BackoffQuestion): number => {
  const attempts = Math.max(failedStarts, loops);
  if (attempts === 0) return 0;
  const { initialMs, factor, maxMs } = restart.backoff;
  const capMs = isShortOfWorkers ? Math.min(maxMs, SHORT_OF_WORKERS_CAP_MS) : maxMs;
  // The power overflows to Infinity after many attempts; the cap brings it back.
  return Math.min(initialMs * factor ** (attempts - 1), capMs);
};

/** Where a process that ended by itself leaves its slot, if the restart policy starts no other; null: it does. */
export const restAfter = (exit: Exit, { policy }: Pick<RestartConfig, 'policy'>): 'stopped' | 'crashed' | null => {
  const isClean = exit.cause === 'clean';
  if (policy === 'always' || (policy === 'on-failure' && !isClean)) return null;
  return isClean ? 'stopped' : 'crashed';
};
