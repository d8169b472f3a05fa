/**
 * Notices that files in a directory grow: at once after a silence, then every {@link TICK_MS} while it goes on, and for
 * nothing while nothing happens. A silent directory is watched by the kernel (inotify). At the first change the watch is
 * given up for a timer, because a flooding writer would otherwise wake us for each of its lines; after two quiet ticks
 * the watch is back. Where watching is refused (no such directory yet, out of watches), a slower timer looks; and after a
 * look that failed.
 */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/** A little under the promised 100 ms, so that timers that are late by a few still keep it. */
export const TICK_MS = 90;
const SLOWEST_TICK_MS = 1_000;
const QUIET_TICKS = 2;

export interface ActivityOptions {
  readonly directory: string;
  /**
   * Looks at the files; true where one had changed since the last call. Where it throws (no descriptor is left, a
   * directory cannot be read), whatever changed is seen by the next look, a second later.
   */
  readonly onTick: () => boolean;
  /** Whether the watch alone keeps the program running (a reader that follows does, an index writer does not). */
  readonly keepsAlive: boolean;
}

export interface Activity {
  /** Looks now: somebody knows better than the kernel that something changed. */
  wake(): void;
  close(): void;
}

export function watchActivity({ directory, onTick, keepsAlive }: ActivityOptions): Activity {
  let watcher: FSWatcher | null = null;
  let timer: NodeJS.Timeout | null = null;
  let quietTicks = 0;
  let slowMs = TICK_MS;
  let isClosed = false;

  const stopWaiting = (): void => {
    watcher?.close();
    watcher = null;
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const tickIn = (ms: number): void => {
    timer = setTimeout(tick, ms);
    if (!keepsAlive) timer.unref();
  };
  /** Null where that failed. */
  const look = (): boolean | null => {
    try {
      return onTick();
    } catch {
      return null;
    }
  };
  const tick = (): void => {
    if (isClosed) return;
    stopWaiting();
    const hasChanged = look();
    if (hasChanged === true) {
      quietTicks = 0;
      slowMs = TICK_MS;
    } else quietTicks += 1;
    if (isClosed) return;
    if (hasChanged === null) tickIn(SLOWEST_TICK_MS);
    else if (quietTicks < QUIET_TICKS) tickIn(TICK_MS);
    else rest();
  };
  const rest = (): void => {
    if (arm()) {
      slowMs = TICK_MS;
      const hasChanged = look();
      // What changed between the last look and the watch would go unnoticed until the next change.
      if (hasChanged === true) begin();
      else if (hasChanged === null && !isClosed) tickIn(SLOWEST_TICK_MS);
      return;
    }
    slowMs = Math.min(slowMs * 2, SLOWEST_TICK_MS);
    tickIn(slowMs);
  };
  const arm = (): boolean => {
    try {
      watcher = watch(directory, { persistent: keepsAlive }, begin);
    } catch {
      return false;
    }
    watcher.on('error', () => {
      watcher?.close();
      watcher = null;
      if (!isClosed && timer === null) tickIn(SLOWEST_TICK_MS);
    });
    return true;
  };
  const begin = (): void => {
    quietTicks = 0;
    tick();
  };

  rest();
  return {
    wake: begin,
    close() {
      isClosed = true;
      stopWaiting();
    },
  };
}
