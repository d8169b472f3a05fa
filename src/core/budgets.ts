/**
 * Performance budgets (`budgets` of an app): what a worker may take, compared once an interval. A single spike is not a
 * breach, and a value that dances around the limit is one breach: exceeded after several intervals in a row, met again
 * only after as many below a little less. Refuses to act: what is exceeded goes to `health.ts` and from there to the ladder.
 */
import { BUDGET_NAMES } from '../protocol/index.ts';
import type { AppConfig, BudgetName } from '../protocol/index.ts';
import type { Step } from './machine.ts';

export interface BudgetPolicy {
  /** Intervals in a row beyond the limit before it counts as exceeded. */
  readonly exceededAfter: number;
  /** Intervals in a row below before it counts as met again, */
  readonly metAfter: number;
  /** below this share of the limit. */
  readonly metBelow: number;
}

export const BUDGET_POLICY: BudgetPolicy = { exceededAfter: 3, metAfter: 3, metBelow: 0.95 };

interface BudgetRecord {
  readonly isExceeded: boolean;
  /** Intervals in a row that speak for the other state. */
  readonly against: number;
  readonly value: number;
  /** When it was exceeded, or met, last. */
  readonly since: number;
}

/** Of one worker; plain data. A new worker begins with a new one. */
export type BudgetState = Readonly<Partial<Record<BudgetName, BudgetRecord>>>;

/** What a worker takes: of an interval's mean or end, as the name says. Left out or null: not known this time. */
export type BudgetValues = Readonly<Partial<Record<BudgetName, number | null>>>;

export interface BudgetEffect {
  readonly type: 'exceeded' | 'met';
  readonly budget: BudgetName;
  readonly value: number;
  readonly max: number;
  readonly critical: boolean;
  readonly reason: string;
}

/** A budget as it stands, for health and the ladder. */
export interface BudgetVerdict {
  readonly budget: BudgetName;
  readonly value: number | null;
  readonly max: number;
  readonly critical: boolean;
  readonly isExceeded: boolean;
  readonly forMs: number;
  /** Exceeded, critical, and the app lets workers be replaced for it. */
  readonly isUnwell: boolean;
}

export const newBudgets = (): BudgetState => ({});

const UNITS: Readonly<Record<BudgetName, { readonly words: string; readonly unit: string }>> = {
  heapUsedMB: { words: 'heap in use', unit: 'MB' },
  rssMB: { words: 'resident memory', unit: 'MB' },
  eventLoopLagMs: { words: 'event-loop lag', unit: 'ms' },
  cpuPercent: { words: 'processor time', unit: '%' },
};

const amount = (value: number, budget: BudgetName): string => `${Math.round(value * 10) / 10} ${UNITS[budget].unit}`;

/** One interval of one worker. Budgets that the configuration does not have any more are forgotten. */
export const stepBudgets = (
  state: BudgetState,
  values: BudgetValues,
  at: number,
  { limits }: Pick<AppConfig['budgets'], 'limits'>,
  policy: BudgetPolicy = BUDGET_POLICY,
): Step<BudgetState, BudgetEffect> => {
  const next: Partial<Record<BudgetName, BudgetRecord>> = {};
  const effects: BudgetEffect[] = [];
  for (const budget of BUDGET_NAMES) {
    const limit = limits[budget];
    const before = state[budget];
    const value = values[budget];
    if (limit === undefined) continue;
    if (value === undefined || value === null || !Number.isFinite(value)) {
      // Nobody knows: neither for it nor against it.
      if (before !== undefined) next[budget] = before;
      continue;
    }
    const { max, critical } = limit;
    const record = before ?? { isExceeded: false, against: 0, value, since: at };
    const isAgainst = record.isExceeded ? value <= max * policy.metBelow : value > max;
    const against = isAgainst ? record.against + 1 : 0;
    const needed = record.isExceeded ? policy.metAfter : policy.exceededAfter;
    if (against < needed) {
      next[budget] = { ...record, against, value };
      continue;
    }
    const isExceeded = !record.isExceeded;
    next[budget] = { isExceeded, against: 0, value, since: at };
    const words = `${UNITS[budget].words} ${amount(value, budget)}`;
    const reason = isExceeded
      ? `${words}: more than the budget of ${amount(max, budget)}, ${needed} times in a row`
      : `${words}: within the budget of ${amount(max, budget)} again`;
    effects.push({ type: isExceeded ? 'exceeded' : 'met', budget, value, max, critical, reason });
  }
  return { state: next, effects };
};

/** All budgets of a worker as they stand. */
export const budgetVerdicts = (state: BudgetState, at: number, budgets: AppConfig['budgets']): BudgetVerdict[] =>
  BUDGET_NAMES.flatMap((budget) => {
    const limit = budgets.limits[budget];
    if (limit === undefined) return [];
    const record = state[budget];
    const isExceeded = record?.isExceeded ?? false;
    return {
      budget,
      value: record?.value ?? null,
      max: limit.max,
      critical: limit.critical,
      isExceeded,
      forMs: record === undefined ? 0 : at - record.since,
      isUnwell: isExceeded && limit.critical && budgets.autoRestart,
    };
  });
