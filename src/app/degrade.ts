/**
 * How far the app is to degrade itself: from `normal` over `shed` (turn away what can wait) and `cache-only` (answer from
 * what is at hand) to `read-only` (change nothing). The daemon tells it of the whole app; alone, the app's own failing
 * checks decide; and the app may always go further by itself. The highest of these counts.
 */
import type { DegradeLevel } from '../protocol/index.ts';

/** In rising order. */
export const DEGRADE_LEVELS: readonly DegradeLevel[] = ['normal', 'shed', 'cache-only', 'read-only'];

export type DegradeListener = (level: DegradeLevel, reason: string | null, before: DegradeLevel) => void;

/** Runs on the way up; what it returns is run on the way down. */
export type DegradeEffect = (level: DegradeLevel, reason: string | null) => void | (() => void);

interface Demand {
  readonly level: DegradeLevel;
  readonly reason: string | null;
}

const NORMAL: Demand = { level: 'normal', reason: null };

/** Who may ask for a level. */
export type DegradeAuthority = 'daemon' | 'checks' | 'app';

export class Degradation {
  readonly #demands = new Map<DegradeAuthority, Demand>();
  readonly #listeners = new Set<DegradeListener>();
  #current: Demand = NORMAL;

  level(): DegradeLevel {
    return this.#current.level;
  }

  /** Why it is not `normal`. */
  reason(): string | null {
    return this.#current.reason;
  }

  /** Whether it has come to `level` or beyond. */
  isAtLeast(level: DegradeLevel): boolean {
    return rankOf(this.#current.level) >= rankOf(level);
  }

  /** The app's own wish, until it sets another one; `normal` takes it back. */
  set(level: DegradeLevel, reason: string | null = null): void {
    this.demand('app', level, reason);
  }

  /** Calls `listener` at each change of the level from now on. The returned function ends that. */
  on(listener: DegradeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Runs `effect` whenever `level` is reached or passed on the way up, at once where it is already; a function that it
   * returns is run when the level has fallen below again. The returned function ends both.
   */
  when(level: DegradeLevel, effect: DegradeEffect): () => void {
    rankOf(level);
    let isActive = false;
    let undo: void | (() => void);
    const leave = (): void => {
      isActive = false;
      const last = undo;
      undo = undefined;
      last?.();
    };
    const look = (): void => {
      const isReached = this.isAtLeast(level);
      if (isReached && !isActive) {
        isActive = true;
        undo = effect(this.#current.level, this.#current.reason);
      } else if (!isReached && isActive) leave();
    };
    const off = this.on(look);
    look();
    return () => {
      off();
      if (isActive) leave();
    };
  }

  demand(by: DegradeAuthority, level: DegradeLevel, reason: string | null): void {
    rankOf(level);
    this.#demands.set(by, { level, reason });
    const before = this.#current;
    let highest = NORMAL;
    for (const demand of this.#demands.values()) if (rankOf(demand.level) > rankOf(highest.level)) highest = demand;
    this.#current = highest;
    if (before.level === highest.level) return;
    for (const listener of this.#listeners) {
      try {
        listener(highest.level, highest.reason, before.level);
      } catch (error) {
        // One listener's mistake must not keep the others from knowing.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function rankOf(level: DegradeLevel): number {
  const rank = DEGRADE_LEVELS.indexOf(level);
  if (rank >= 0) return rank;
  throw new TypeError(`${JSON.stringify(level)} is no level; there are ${DEGRADE_LEVELS.join(', ')}`);
}
