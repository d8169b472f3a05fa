/**
 * When a process that heals itself does what. Pure: what is bad comes in, what to do goes out.
 *
 *     watching ──bad `after` times──► recover ──► watching
 *        recovered too often, or too often in a row without help ──► gave-up ──good──► watching
 *
 * A recovery is not repeated before its backoff is over, and never more than `perHour` times within an hour.
 */

export interface HealingPolicy {
  /** Bad looks in a row before a recovery. */
  readonly after: number;
  /** Milliseconds from one recovery to the next: `initialMs`, then `factor` times longer each time, at most `maxMs`. */
  readonly backoff: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
  /** Recoveries in a row that did not help, after which it is given up. */
  readonly attempts: number;
  readonly perHour: number;
}

export interface HealingState {
  readonly phase: 'watching' | 'gave-up';
  /** Bad looks in a row. */
  readonly bad: number;
  /** Recoveries since it was last good. */
  readonly attempts: number;
  /** No recovery before. */
  readonly notBefore: number;
  /** When the recoveries of the last hour were. */
  readonly recent: readonly number[];
}

export type HealingEffect = 'none' | 'recover' | 'give-up' | 'healed';

export const HEALTHY: HealingState = { phase: 'watching', bad: 0, attempts: 0, notBefore: -Infinity, recent: [] };

const HOUR_MS = 3_600_000;

/** One look: `at` in milliseconds of a clock that never goes back. */
export function stepHealing(
  state: HealingState,
  { at, isBad }: { readonly at: number; readonly isBad: boolean },
  policy: HealingPolicy,
): { readonly state: HealingState; readonly effect: HealingEffect } {
  const recent = state.recent.filter((then) => at - then < HOUR_MS);
  if (!isBad) {
    const wasTreated = state.attempts > 0 || state.phase === 'gave-up';
    return { state: { ...HEALTHY, recent }, effect: wasTreated ? 'healed' : 'none' };
  }
  const bad = state.bad + 1;
  const next = { ...state, recent, bad };
  if (state.phase === 'gave-up' || bad < policy.after || at < state.notBefore) return { state: next, effect: 'none' };
  if (state.attempts >= policy.attempts || recent.length >= policy.perHour) {
    return { state: { ...next, phase: 'gave-up' }, effect: 'give-up' };
  }
  const { initialMs, factor, maxMs } = policy.backoff;
  const waitMs = Math.min(maxMs, initialMs * factor ** state.attempts);
  return {
    // What is bad after a recovery is looked at as often again before the next one.
    state: { ...next, bad: 0, attempts: state.attempts + 1, notBefore: at + waitMs, recent: [...recent, at] },
    effect: 'recover',
  };
}
