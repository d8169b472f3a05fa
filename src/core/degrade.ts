/**
 * What an app is to do without (`DegradeLevel`), from what its host sees. A level is suggested as soon as its cause has
 * lasted a little, and taken back only after a good while without any: apps empty caches and switch paths for it.
 * Refuses to lower anybody's quality for a passing spike.
 */
import type { DegradeLevel } from '../protocol/index.ts';
import type { Step } from './machine.ts';

export interface DegradeFacts {
  /** Most workers have more to do than they can: their loops are busy all the time, or they are starved of cores. */
  readonly isOverloaded: boolean;
  /** Critical checks that fail in most workers. */
  readonly down: readonly string[];
  /** The disk takes nothing. */
  readonly isDiskFull: boolean;
}

export interface DegradePolicy {
  /** How long a cause has to last. A dependency's has been confirmed by its check already. */
  readonly overloadedForMs: number;
  /** How long no cause for a level must have been there before it is left. */
  readonly calmMs: number;
}

export const DEGRADE_POLICY: DegradePolicy = { overloadedForMs: 5000, calmMs: 30_000 };

export interface DegradeState {
  readonly level: DegradeLevel;
  readonly reason: string | null;
  readonly overloadedSince: number | null;
  /** When there was last a cause for the level that holds, or for a higher one. */
  readonly neededAt: number;
}

export interface DegradeEffect {
  readonly type: 'degrade';
  readonly level: DegradeLevel;
  readonly reason: string | null;
}

export const newDegrade = (): DegradeState => ({ level: 'normal', reason: null, overloadedSince: null, neededAt: 0 });

interface DegradeRule {
  readonly level: DegradeLevel;
  readonly when: string;
  readonly find: (facts: DegradeFacts, overloadedForMs: number, policy: DegradePolicy) => string | null;
}

/** The first rule that holds decides; the further down, the less is asked of the app. */
export const DEGRADE_RULES: readonly DegradeRule[] = [
  {
    level: 'read-only',
    when: 'the disk takes nothing',
    find: ({ isDiskFull }) => (isDiskFull ? 'the disk takes nothing' : null),
  },
  {
    level: 'cache-only',
    when: 'a critical check fails in most workers',
    find: ({ down }) => (down.length === 0 ? null : `${down.join(', ')} ${down.length === 1 ? 'is' : 'are'} down`),
  },
  {
    level: 'shed',
    when: 'most workers have been overloaded for a while',
    find: ({ isOverloaded }, forMs, { overloadedForMs }) =>
      isOverloaded && forMs >= overloadedForMs ? 'most workers have more to do than they can' : null,
  },
];

const RANK: Readonly<Record<DegradeLevel, number>> = { normal: 0, shed: 1, 'cache-only': 2, 'read-only': 3 };

/** One look, every second or so; the effect is told to the agents of all the app's workers, and to those that start later. */
export const stepDegrade = (
  state: DegradeState,
  facts: DegradeFacts,
  at: number,
  policy: DegradePolicy = DEGRADE_POLICY,
): Step<DegradeState, DegradeEffect> => {
  const overloadedSince = facts.isOverloaded ? (state.overloadedSince ?? at) : null;
  const overloadedForMs = overloadedSince === null ? 0 : at - overloadedSince;
  let wanted: DegradeLevel = 'normal';
  let reason: string | null = null;
  for (const rule of DEGRADE_RULES) {
    reason = rule.find(facts, overloadedForMs, policy);
    if (reason === null) continue;
    wanted = rule.level;
    break;
  }
  const next = { ...state, overloadedSince };
  const isHigher = RANK[wanted] > RANK[state.level];
  if (RANK[wanted] === RANK[state.level]) return { state: { ...next, neededAt: at }, effects: [] };
  if (!isHigher && at - state.neededAt < policy.calmMs) return { state: next, effects: [] };
  return {
    state: { level: wanted, reason, overloadedSince, neededAt: at },
    effects: [{ type: 'degrade', level: wanted, reason }],
  };
};
