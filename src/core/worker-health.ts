/**
 * How well one worker is and why. The first rule of the table that holds decides its status and the reason; what a rule holds
 * against the worker is one of three things:
 *
 *   alive     it will not come back by itself: a matter for the ladder (`healing.ts`), which may replace it
 *   routable  it should get no new connections while this lasts: weight 0
 *   told      it is only said
 *
 * Refuses to measure anything: all facts are arguments.
 */
import type { HealthStatus, ProbeKind } from '../protocol/index.ts';
import type { BudgetVerdict } from './budgets.ts';
import { CHECK_POLICY, type CheckVerdict } from './checks.ts';
import type { MemoryForecast } from './memory-forecast.ts';
import type { WorkerPhase } from './worker-types.ts';

export interface ProbeFact {
  readonly kind: ProbeKind;
  /** After its thresholds; `unknown`: it has not decided yet, or has no data. */
  readonly status: 'pass' | 'fail' | 'unknown';
  /** It fails because nothing was heard at all, not because of an answer. */
  readonly isMissingData: boolean;
  readonly error: string | null;
}

/** All that is known of one slot's worker. */
export interface WorkerFacts {
  readonly slot: number;
  readonly generation: number;
  readonly phase: WorkerPhase;
  readonly isWanted: boolean;
  /** In a crash loop. */
  readonly isLooping: boolean;
  readonly probes: readonly ProbeFact[];
  readonly checks: readonly CheckVerdict[];
  /** How long its event loop has been blocked; null: it is not. */
  readonly blockedMs: number | null;
  /** So long that it will not come back. */
  readonly isHung: boolean;
  readonly ejection: { readonly untilAt: number; readonly reason: string; readonly ejections: number } | null;
  readonly budgets: readonly BudgetVerdict[];
  readonly forecast: MemoryForecast | null;
  /** Chosen by `chooseRecycle`. */
  readonly recycle: string | null;
  readonly isQuarantined: boolean;
}

export interface HealthPolicy {
  /** A critical check that fails in this worker alone is a matter for the ladder after so long. */
  readonly checkPatienceMs: number;
  /** Ejected so many times in a row, a worker is a matter for the ladder. */
  readonly ejections: number;
  /** More than this share of the workers show it: the cause is outside. */
  readonly sharedBeyond: number;
  /** A forecast nearer than this is told. */
  readonly forecastWithinMs: number;
}

export const HEALTH_POLICY: HealthPolicy = {
  checkPatienceMs: 30_000,
  ejections: 3,
  sharedBeyond: CHECK_POLICY.sharedBeyond,
  forecastWithinMs: 6 * 3_600_000,
};

/** Kinds of trouble that the ladder knows; the key of a trouble is its kind and, after a colon, what exactly. */
export type TroubleKind = 'hang' | 'liveness' | 'check' | 'ejected' | 'budget-memory' | 'budget-load' | 'memory';

/** Something that a rule found. */
export interface Trouble {
  /** The same for the same trouble in another worker: `check:database`. */
  readonly key: string;
  readonly kind: TroubleKind;
  readonly reason: string;
  readonly isMissingData: boolean;
}

interface Finding {
  readonly key: string;
  readonly reason: string;
}

export interface WorkerRule {
  readonly status: HealthStatus;
  readonly when: string;
  /** What follows, where the cause is not outside. */
  readonly holdsAgainst: 'alive and routable' | 'alive' | 'routable' | 'told';
  readonly find: (worker: WorkerFacts, policy: HealthPolicy, shared: ReadonlySet<string>) => Finding | null;
  /** Whether the ladder is to hear of it yet, and as what; left out where it never is. */
  readonly trouble?: (worker: WorkerFacts, policy: HealthPolicy, shared: ReadonlySet<string>) => TroubleKind | null;
  readonly isMissingData?: (worker: WorkerFacts) => boolean;
}

const failing = (worker: WorkerFacts, kind: ProbeKind): ProbeFact | undefined =>
  worker.probes.find((probe) => probe.kind === kind && probe.status === 'fail');
export const because = (text: string | null): string => (text === null ? '' : `: ${text}`);
export const seconds = (ms: number): string =>
  ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 1000)} s`;
/** Whose last result was good is about to pass: after an outage workers do so one after the other, and the last is not alone. */
const ownCheck = (worker: WorkerFacts, shared: ReadonlySet<string>): CheckVerdict | undefined =>
  worker.checks.find(
    ({ name, status, critical, hasJustFailed }) => status === 'fail' && hasJustFailed && critical && !shared.has(name),
  );
const isMemory = ({ budget }: BudgetVerdict): boolean => budget === 'heapUsedMB' || budget === 'rssMB';
const exceeded = (worker: WorkerFacts, critical: boolean): BudgetVerdict | undefined =>
  worker.budgets.find((budget) => budget.isExceeded && budget.critical === critical);
const budgetWords = ({ budget, value, max }: BudgetVerdict): string =>
  `${budget} is ${value === null ? 'not known' : Math.round(value * 10) / 10}, its budget ${max}`;

/** The first rule that holds decides the status; what the others hold against the worker counts all the same. */
export const WORKER_HEALTH_RULES: readonly WorkerRule[] = [
  {
    status: 'critical',
    when: 'its slot is in a crash loop, and no worker is ready in it',
    holdsAgainst: 'told',
    find: ({ isLooping, phase }) =>
      isLooping && phase !== 'running' ? { key: 'crash-loop', reason: 'its slot is in a crash loop' } : null,
  },
  {
    status: 'critical',
    when: 'it should run and does not',
    holdsAgainst: 'told',
    find: ({ phase, isWanted }) =>
      isWanted && (phase === 'crashed' || phase === 'backoff')
        ? { key: 'down', reason: phase === 'crashed' ? 'it ended, and is not started again' : 'it ended, and waits' }
        : null,
  },
  {
    status: 'critical',
    when: 'its event loop is hung: blocked for longer than a block lasts',
    holdsAgainst: 'alive and routable',
    find: ({ isHung, blockedMs }) =>
      isHung ? { key: 'hang', reason: `its event loop has answered nothing for ${seconds(blockedMs ?? 0)}` } : null,
    trouble: () => 'hang',
  },
  {
    status: 'critical',
    when: 'its liveness probe fails',
    holdsAgainst: 'alive and routable',
    find: (worker) => {
      const probe = failing(worker, 'liveness');
      return probe === undefined
        ? null
        : { key: 'liveness', reason: `its liveness probe fails${because(probe.error)}` };
    },
    trouble: () => 'liveness',
    isMissingData: (worker) => failing(worker, 'liveness')?.isMissingData ?? false,
  },
  {
    status: 'critical',
    when: 'its event loop is blocked',
    holdsAgainst: 'routable',
    find: ({ blockedMs }) =>
      blockedMs === null
        ? null
        : { key: 'blocked', reason: `its event loop is blocked, for ${seconds(blockedMs)} by now` },
  },
  {
    status: 'critical',
    when: 'a critical check fails in it and not in most workers',
    holdsAgainst: 'alive and routable',
    find: (worker, _policy, shared) => {
      const check = ownCheck(worker, shared);
      return check === undefined
        ? null
        : { key: `check:${check.name}`, reason: `its check ${check.name} fails${because(check.error)}` };
    },
    trouble: (worker, { checkPatienceMs }, shared) =>
      (ownCheck(worker, shared)?.forMs ?? 0) >= checkPatienceMs ? 'check' : null,
  },
  {
    status: 'critical',
    when: 'it exceeds a critical budget',
    holdsAgainst: 'alive',
    find: (worker) => {
      const budget = exceeded(worker, true);
      return budget === undefined ? null : { key: `budget:${budget.budget}`, reason: budgetWords(budget) };
    },
    trouble: (worker) => {
      const budget = exceeded(worker, true);
      if (budget === undefined || !budget.isUnwell) return null;
      return isMemory(budget) ? 'budget-memory' : 'budget-load';
    },
  },
  {
    status: 'degraded',
    when: 'it is back after a crash loop, and has not held out yet',
    holdsAgainst: 'told',
    find: ({ isLooping, phase }) =>
      isLooping && phase === 'running'
        ? { key: 'crash-loop', reason: 'back after a crash loop, which is not over before it has held out' }
        : null,
  },
  {
    status: 'degraded',
    when: 'its traffic shows that something is wrong with it (ejected)',
    holdsAgainst: 'alive',
    find: ({ ejection }) => (ejection === null ? null : { key: 'ejected', reason: `off rotation: ${ejection.reason}` }),
    trouble: ({ ejection }, { ejections }) => ((ejection?.ejections ?? 0) >= ejections ? 'ejected' : null),
  },
  {
    status: 'degraded',
    when: 'its readiness probe fails',
    holdsAgainst: 'routable',
    find: (worker) => {
      const probe = failing(worker, 'readiness');
      return probe === undefined
        ? null
        : { key: 'readiness', reason: `its readiness probe fails${because(probe.error)}` };
    },
  },
  {
    status: 'degraded',
    when: 'it is about to run out of memory (recycled ahead of it)',
    holdsAgainst: 'alive',
    find: ({ recycle }) => (recycle === null ? null : { key: 'memory', reason: recycle }),
    trouble: () => 'memory',
  },
  {
    status: 'degraded',
    when: 'a critical check fails in most workers',
    holdsAgainst: 'told',
    find: ({ checks }, _policy, shared) => {
      const check = checks.find(({ name, status, critical }) => status === 'fail' && critical && shared.has(name));
      return check === undefined
        ? null
        : { key: `shared:${check.name}`, reason: `${check.name} is down for most workers${because(check.error)}` };
    },
  },
  {
    status: 'degraded',
    when: 'a check that is not critical fails',
    holdsAgainst: 'told',
    find: ({ checks }) => {
      const check = checks.find(({ status, critical }) => status === 'fail' && !critical);
      return check === undefined
        ? null
        : { key: `minor:${check.name}`, reason: `its check ${check.name} fails${because(check.error)}` };
    },
  },
  {
    status: 'degraded',
    when: 'it exceeds a budget that is not critical',
    holdsAgainst: 'told',
    find: (worker) => {
      const budget = exceeded(worker, false);
      return budget === undefined ? null : { key: `budget:${budget.budget}`, reason: budgetWords(budget) };
    },
  },
  {
    status: 'degraded',
    when: 'it is in quarantine: replacing it has not helped',
    holdsAgainst: 'told',
    find: ({ isQuarantined }) =>
      isQuarantined ? { key: 'quarantine', reason: 'in quarantine: replacing it has not helped' } : null,
  },
  {
    status: 'degraded',
    when: 'its memory grows and reaches the limit soon',
    holdsAgainst: 'told',
    find: ({ forecast }, { forecastWithinMs }) =>
      forecast?.status === 'growing' && (forecast.leftMs ?? Number.POSITIVE_INFINITY) <= forecastWithinMs
        ? { key: 'growing', reason: forecast.reason }
        : null,
  },
  {
    status: 'degraded',
    when: 'it is on its way: starting, draining or being ended',
    holdsAgainst: 'told',
    find: ({ phase }) =>
      phase === 'running' || phase === 'stopped' ? null : { key: 'phase', reason: `it is ${PHASE_WORDS[phase]}` },
  },
];

const PHASE_WORDS: Readonly<Record<Exclude<WorkerPhase, 'running' | 'stopped'>, string>> = {
  starting: 'starting',
  draining: 'draining',
  aborting: 'being ended',
  killing: 'being ended',
  backoff: 'waiting for its next start',
  crashed: 'gone',
};

export interface WorkerHealth {
  readonly slot: number;
  readonly generation: number;
  readonly status: HealthStatus;
  readonly reason: string | null;
  /** False: weight 0 while this lasts. */
  readonly isRoutable: boolean;
  /** Why it is not, or why it is although something is held against it. */
  readonly routing: string | null;
  /** For the ladder; null: well. */
  readonly trouble: Trouble | null;
}

/** A rule that holds, and what it found. */
export interface Found {
  readonly rule: WorkerRule;
  readonly finding: Finding;
}

export const holdsAgainstRouting = ({ rule }: Found): boolean =>
  rule.holdsAgainst === 'routable' || rule.holdsAgainst === 'alive and routable';

export const troubleOf = (
  worker: WorkerFacts,
  found: readonly Found[],
  policy: HealthPolicy,
  shared: ReadonlySet<string>,
): Trouble | null => {
  for (const { rule, finding } of found) {
    const kind = rule.trouble?.(worker, policy, shared) ?? null;
    if (kind === null) continue;
    return { key: finding.key, kind, reason: finding.reason, isMissingData: rule.isMissingData?.(worker) ?? false };
  }
  return null;
};
