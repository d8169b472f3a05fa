/**
 * The alerts of an objective: one page and one ticket, whatever rule finds it. Pure. What they say rests on the figures that
 * they were judged by.
 */
import type { AlertEvidence } from '../protocol/index.ts';
import { ALERT_POLICY, type AlertDetail } from './alert.ts';
import type { Judgement } from './alert-book.ts';
import { RESOLUTION_MS } from './burn-rules.ts';
import type { BudgetStanding, ObjectivePlan, ObjectiveVerdict, RuleVerdict } from './objective.ts';

export const OBJECTIVE_ALERT = 'error-budget-burn';

/** A verdict on an app's objective, as judgements of its page and of its ticket. */
export const judgeObjectiveAlerts = (
  app: string,
  plan: ObjectivePlan,
  { rules, budget }: ObjectiveVerdict,
): readonly Judgement[] =>
  (['page', 'ticket'] as const).flatMap((severity) => {
    const own = rules.filter(({ rule }) => rule.severity === severity);
    if (own.length === 0) return [];
    const burning = own.find(({ verdict }) => verdict === 'burning');
    const isCalm = own.every(({ verdict }) => verdict === 'calm');
    return {
      subject: { name: OBJECTIVE_ALERT, severity, app, labels: { objective: plan.objective.name } },
      policy: {
        ...ALERT_POLICY,
        // So long, errors of the past are still in the windows.
        unheardMs: Math.max(...own.map(({ rule }) => rule.longMs)) + RESOLUTION_MS,
      },
      verdict: burning !== undefined ? 'bad' : isCalm ? 'good' : 'unknown',
      detail: describe(app, plan, burning ?? own[0]!, budget, own),
    } satisfies Judgement;
  });

const describe = (
  app: string,
  { objective: { name, target, windowMs } }: ObjectivePlan,
  { rule, long, short }: RuleVerdict,
  budget: BudgetStanding,
  rules: readonly RuleVerdict[],
): AlertDetail => {
  const spent = `${percent(budget.consumed)} of the error budget of ${duration(windowMs)} is spent`;
  const left = budget.exhaustedInMs === null ? '' : leftText(budget.exhaustedInMs);
  return {
    summary: `${app}: ${name} burns its error budget ${times(long.burn)} times faster than it may`,
    description:
      `${percent(errorShare(long))} of ${Math.round(long.events)} events in ${duration(rule.longMs)}, and ` +
      `${percent(errorShare(short))} of ${Math.round(short.events)} in ${duration(rule.shortMs)}, were bad; ` +
      `${percent(1 - target)} may be. ${spent}${left}.`,
    evidence: [
      ...rules.flatMap(burnEvidence),
      { name: 'budget spent', value: budget.consumed, threshold: 1, unit: 'share' },
    ],
  };
};

const burnEvidence = ({ rule, long, short }: RuleVerdict): readonly AlertEvidence[] => [
  { name: `burn, ${duration(rule.longMs)}`, value: long.burn, threshold: rule.burn, unit: 'times' },
  { name: `burn, ${duration(rule.shortMs)}`, value: short.burn, threshold: rule.burn, unit: 'times' },
];

const leftText = (ms: number): string => (ms === 0 ? '' : `; at this rate the rest lasts ${duration(ms)}`);
const errorShare = ({ bad, events }: { readonly bad: number; readonly events: number }): number =>
  events === 0 ? 0 : bad / events;
const times = (burn: number | null): string => (burn === null ? 'many' : burn.toFixed(burn < 10 ? 1 : 0));
/** Three digits that count, without an exponent. */
const percent = (share: number): string => `${Number((share * 100).toPrecision(3)).toString()} %`;

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** In its largest unit, as long as that says it to a tenth; else in the next one: `1.2 h`, `90 min`, `50 s`. */
export const duration = (ms: number): string => {
  const [unit, unitMs] = UNITS.find(([, one]) => ms >= one) ?? ['s', 1000];
  return `${Number((ms / unitMs).toFixed(1)).toString()} ${unit}`;
};
