/**
 * Objectives of all apps: counts what is good and what is not, keeps it over restarts, and hands what follows to whoever
 * tells people. How they stand is decided in `core/`.
 */
import {
  countsBetween,
  judgeObjective,
  judgeObjectiveAlerts,
  newObjective,
  observeCounts,
  planObjective,
  resumeObjective,
  type Counters,
  type Judgement,
  type ObjectivePlan,
  type ObjectiveState,
  type ObjectiveVerdict,
} from '../core/index.ts';
import { countWithin } from '../metrics/index.ts';
import type { AgentReport, Clock, ObjectiveConfig, SloDocument } from '../protocol/index.ts';
import type { App, Schedule, WorkerHandle } from '../supervisor/index.ts';

export interface ObjectivesOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly apps: () => readonly App[];
  readonly named: (handle: WorkerHandle, names: readonly string[]) => Readonly<Record<string, number>>;
  readonly judge: (judgements: readonly Judgement[]) => void;
  /** Small texts that outlive the daemon. */
  readonly memory: { find(key: string): string | undefined; put(key: string, value: string): void };
}

export interface Objectives {
  describe(apps: readonly App[]): SloDocument;
  close(): void;
}

const LOOK_EVERY_MS = 10_000;
const SAVE_EVERY_LOOKS = 6;

interface Watched {
  plan: ObjectivePlan;
  state: ObjectiveState;
  readonly seen: WeakMap<WorkerHandle, Counters>;
  verdict: ObjectiveVerdict | null;
}

export const objectiveKey = (app: string, objective: string): string => `objective:${app}:${objective}`;

export const openObjectives = ({ clock, schedule, apps, named, judge, memory }: ObjectivesOptions): Objectives => {
  const watched = new Map<string, Watched>();
  // One timeline over restarts: see `core/objective.ts`.
  const beganAt = clock.wallMs();
  const beganMonotonic = clock.monotonicMs();
  const now = (): number => beganAt + clock.monotonicMs() - beganMonotonic;
  const keyOf = (app: App, { name }: ObjectiveConfig): string => objectiveKey(app.app, name);

  const watchedOf = (app: App, objective: ObjectiveConfig): Watched => {
    const key = keyOf(app, objective);
    const known = watched.get(key);
    if (known === undefined) {
      const plan = planObjective(objective);
      const kept = readState(memory.find(key));
      const state = kept === null ? newObjective(plan) : resumeObjective(plan, kept);
      const fresh: Watched = { plan, state, seen: new WeakMap(), verdict: null };
      watched.set(key, fresh);
      return fresh;
    }
    if (JSON.stringify(known.plan.objective) !== JSON.stringify(objective)) {
      known.plan = planObjective(objective);
      known.state = resumeObjective(known.plan, known.state);
    }
    return known;
  };

  const observe = (app: App, one: Watched, at: number): void => {
    let good = 0;
    let total = 0;
    for (const handle of app.liveHandles()) {
      const counters = countersOf(handle, one.plan.objective, named);
      if (counters === null) continue;
      // What one that we have started ourselves has counted is all new; one that was taken over has counted before.
      const before = one.seen.get(handle) ?? (handle.isChild ? { good: 0, total: 0 } : null);
      const counted = countsBetween(before, counters);
      one.seen.set(handle, counters);
      if (counted === null) continue;
      good += counted.good;
      total += counted.total;
    }
    const forMs = one.state.at === null ? LOOK_EVERY_MS : Math.min(Math.max(0, at - one.state.at), 2 * LOOK_EVERY_MS);
    one.state = observeCounts(one.state, { at, forMs, good, total });
    one.verdict = judgeObjective(one.plan, one.state, at);
  };

  let looks = 0;
  let callOff = schedule.background(LOOK_EVERY_MS, () => look());
  const look = (): void => {
    callOff = schedule.background(LOOK_EVERY_MS, () => look());
    const at = now();
    looks += 1;
    const judgements: Judgement[] = [];
    const present = new Set<string>();
    for (const app of apps())
      for (const objective of app.state.config.slo) {
        present.add(keyOf(app, objective));
        const one = watchedOf(app, objective);
        observe(app, one, at);
        if (one.verdict !== null) judgements.push(...judgeObjectiveAlerts(app.app, one.plan, one.verdict));
        if (looks % SAVE_EVERY_LOOKS === 0) memory.put(keyOf(app, objective), JSON.stringify(one.state));
      }
    for (const key of watched.keys()) if (!present.has(key)) watched.delete(key);
    if (judgements.length > 0) judge(judgements);
  };

  return {
    describe: (chosen) => ({
      apps: chosen.map((app) => ({
        name: app.app,
        objectives: app.state.config.slo.map((objective) => {
          const one = watchedOf(app, objective);
          return describe(one.plan, one.verdict ?? judgeObjective(one.plan, one.state, now()));
        }),
      })),
    }),
    close: () => callOff(),
  };
};

/** Without the dust that a division leaves in the sixteenth digit: 99.9 / 100 is 0.9990000000000001. */
export const withoutDust = (value: number): number => Number(value.toPrecision(15));

/** What an earlier daemon kept; null where that cannot be used. */
const readState = (text: string | undefined): ObjectiveState | null => {
  if (text === undefined) return null;
  try {
    const state = JSON.parse(text) as ObjectiveState;
    return Array.isArray(state.series) ? state : null;
  } catch {
    return null;
  }
};

const countersOf = (
  handle: WorkerHandle,
  { indicator }: ObjectiveConfig,
  named: ObjectivesOptions['named'],
): Counters | null => {
  const report = handle.lastReport;
  if (report === null) return null;
  if (indicator.kind === 'ratio') {
    const { [indicator.good]: good, [indicator.total]: total } = named(handle, [indicator.good, indicator.total]);
    return good === undefined || total === undefined ? null : { good, total };
  }
  const total = answeredOf(report);
  if (indicator.kind === 'availability') return { good: report.counters.served, total };
  return { good: Math.min(total, countWithin(report.counters.latency, indicator.thresholdMs)), total };
};

/** Lost ones were begun and not answered: to their clients they failed. */
const answeredOf = ({ counters }: AgentReport): number => counters.served + counters.failed + counters.lost;

const describe = (
  { objective }: ObjectivePlan,
  { budget, rules }: ObjectiveVerdict,
): SloDocument['apps'][number]['objectives'][number] => ({
  name: objective.name,
  indicator: objective.indicator.kind,
  objective: withoutDust(objective.target * 100),
  windowMs: objective.windowMs,
  events: Math.round(budget.events),
  bad: Math.round(budget.bad),
  attained: budget.events === 0 ? null : (1 - budget.bad / budget.events) * 100,
  budget: {
    consumed: budget.consumed,
    remaining: budget.remaining,
    burn: budget.burn,
    exhaustedInMs: budget.exhaustedInMs,
    observedShare: budget.observedShare,
  },
  alerts: rules.map(({ rule, verdict, long, short }) => ({
    severity: rule.severity,
    burn: rule.burn,
    longMs: rule.longMs,
    shortMs: rule.shortMs,
    longBurn: long.burn,
    shortBurn: short.burn,
    verdict,
  })),
});
