/**
 * The checks that an app has registered (`drover/app`), with hysteresis: a check has failed when several results in a row
 * were bad, and passes again when several were good. Which results are new is read off the worker's own clock. And whether
 * a failing check is one worker's trouble or everybody's. Refuses to run checks: the app does.
 */
import type { AppCheck } from '../protocol/index.ts';
import type { Step } from './machine.ts';

export interface CheckPolicy {
  readonly failsAfter: number;
  readonly passesAfter: number;
  /** A check that fails in more than this share of the workers that have it is everybody's. */
  readonly sharedBeyond: number;
}

/** Two results: a dead dependency is told within two periods, and one lost packet is not told at all. */
export const CHECK_POLICY: CheckPolicy = { failsAfter: 2, passesAfter: 2, sharedBeyond: 0.5 };

interface CheckRecord {
  readonly check: AppCheck;
  readonly status: 'pass' | 'fail' | 'unknown';
  /** Results in a row that contradict the status. */
  readonly against: number;
  /** When the last result was there, on the worker's clock. */
  readonly endedAt: number;
  /** Since when it has its status, on the daemon's clock. */
  readonly since: number;
}

/** Of one worker, by name of the check; plain data. */
export type CheckState = Readonly<Record<string, CheckRecord>>;

export interface CheckVerdict {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'unknown';
  readonly critical: boolean;
  readonly durationMs: number;
  readonly error: string | null;
  /** How long it has had its status. */
  readonly forMs: number;
  /** Its last result was bad, whether that is confirmed or not. */
  readonly hasJustFailed: boolean;
}

export interface CheckEffect {
  readonly type: 'failed' | 'passed';
  readonly name: string;
  readonly critical: boolean;
  readonly error: string | null;
}

export const newChecks = (): CheckState => ({});

/** Two ends of the same run may seem to be so far apart: ages and uptimes are rounded. */
const SAME_RUN_MS = 5;

/**
 * A report of a worker: its checks, and its uptime in the same report. `at` is the daemon's clock. Checks that are not in
 * the report were taken back.
 */
export const stepChecks = (
  state: CheckState,
  report: { readonly uptimeMs: number; readonly checks: readonly AppCheck[] },
  at: number,
  policy: CheckPolicy = CHECK_POLICY,
): Step<CheckState, CheckEffect> => {
  const next = new Map<string, CheckRecord>();
  const effects: CheckEffect[] = [];
  for (const check of report.checks) {
    const before = Object.hasOwn(state, check.name) ? state[check.name]! : beginCheck(check, at);
    const after = takeResult(before, check, report.uptimeMs - check.ageMs, at, policy);
    next.set(check.name, after);
    if (after.status === before.status || (after.status === 'pass' && before.status === 'unknown')) continue;
    const type = after.status === 'fail' ? 'failed' : 'passed';
    effects.push({ type, name: check.name, critical: check.critical, error: check.error ?? null });
  }
  // Names are the app's: `__proto__` must be one like any other.
  return { state: Object.fromEntries(next), effects };
};

const beginCheck = (check: AppCheck, at: number): CheckRecord => ({
  check,
  status: 'unknown',
  against: 0,
  endedAt: Number.NEGATIVE_INFINITY,
  since: at,
});

const takeResult = (
  before: CheckRecord,
  check: AppCheck,
  endedAt: number,
  at: number,
  policy: CheckPolicy,
): CheckRecord => {
  if (check.status === 'unknown' || endedAt <= before.endedAt + SAME_RUN_MS) return { ...before, check };
  if (check.status === before.status) return { ...before, check, against: 0, endedAt };
  const against = before.against + 1;
  // The first good result counts at once; a bad one has to be confirmed, also when it is the first.
  const isFirst = before.status === 'unknown';
  const needed = check.status === 'fail' ? policy.failsAfter : isFirst ? 1 : policy.passesAfter;
  if (against < needed) return { ...before, check, against, endedAt };
  return { check, status: check.status, against: 0, endedAt, since: at };
};

/** The checks of a worker as they stand. */
export const checkVerdicts = (state: CheckState, at: number): CheckVerdict[] =>
  Object.entries(state).map(([name, { check, status, since }]) => ({
    name,
    status,
    critical: check.critical,
    durationMs: check.durationMs,
    error: status === 'fail' ? (check.error ?? null) : null,
    forMs: at - since,
    hasJustFailed: check.status === 'fail',
  }));

export interface SharedCheck {
  readonly name: string;
  readonly critical: boolean;
  readonly failing: number;
  readonly workers: number;
  /** Fails in most of the workers that have it, or in the only one: what it checks is down, not the worker. */
  readonly isShared: boolean;
  readonly error: string | null;
}

/**
 * The failing checks of an app over its workers. Workers run their checks at different times of the same period: when the
 * first of them has two bad results, each of the others has had one, if what they ask is down for all; so one counts here,
 * beside one that is confirmed. One worker alone cannot tell its own trouble from everybody's.
 */
export const sharedChecks = (
  workers: readonly (readonly CheckVerdict[])[],
  policy: CheckPolicy = CHECK_POLICY,
): SharedCheck[] => {
  const byName = new Map<string, { critical: boolean; failing: number; workers: number; error: string | null }>();
  const confirmed = new Set<string>();
  for (const { name, status, critical, error, hasJustFailed } of workers.flat()) {
    if (status === 'unknown' && !hasJustFailed) continue;
    if (status === 'fail') confirmed.add(name);
    const sum = byName.get(name) ?? { critical: false, failing: 0, workers: 0, error: null };
    byName.set(name, {
      critical: sum.critical || critical,
      failing: sum.failing + (status === 'fail' || hasJustFailed ? 1 : 0),
      workers: sum.workers + 1,
      error: sum.error ?? error,
    });
  }
  return [...byName]
    .filter(([name]) => confirmed.has(name))
    .map(([name, sum]) => ({ name, ...sum, isShared: sum.failing > sum.workers * policy.sharedBeyond }));
};
