/**
 * When an objective is missed fast enough that somebody must know: the rules of its alerts, by formula for any window and
 * target. Pure.
 *
 * The source is the table "Recommended parameters for an SLO-based alerting configuration" in Google's Site Reliability Workbook,
 * chapter "Alerting on SLOs", made for 30 days:
 *
 *   share of the budget    long window    short window    burn    severity
 *          2 %                1 h            5 min        14.4    page
 *          5 %                6 h           30 min         6      page
 *         10 %                3 d            6 h           1      ticket
 *
 * It rests on `burn = share * window / long`, and short = long / 12. Three things are made of it here:
 *
 * - Another window keeps shares and burns, and its long windows are as much shorter or longer as it is. (To keep the hours and
 *   recompute the burns, as is often done, gives a ticket at 0.23 times the budget for 7 days: below what the objective allows.)
 * - A short window must hold a sample, so it is no shorter than the resolution. Where that makes the long window longer than the
 *   share asks for, the burn stays, so that nobody is woken by a slower burn than the table has, and the share grows; up to
 *   half of the budget, then the burn falls.
 * - A target so low that all events may fail without reaching the burn (14.4 times 10 % is more than all of them) would never
 *   be told. The burn is as much as half of all events failing, and the long window longer for it: the share stays, and with it
 *   the time in which a full outage is told, `share * window * (1 - target)`.
 */
import type { ObjectiveConfig, Severity } from '../protocol/index.ts';

export interface BurnRule {
  readonly severity: Extract<Severity, 'page' | 'ticket'>;
  readonly longMs: number;
  /** It must burn in here as well, so that the alert ends soon after the errors do. */
  readonly shortMs: number;
  /** How many times faster than the budget allows; the rule asks for more than this. */
  readonly burn: number;
  /** Of the whole budget, that is spent when this burn has lasted for the long window. */
  readonly budgetShare: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const TABLE: readonly Pick<BurnRule, 'severity' | 'budgetShare' | 'burn'>[] = [
  { severity: 'page', budgetShare: 0.02, burn: (0.02 * 30 * DAY_MS) / HOUR_MS },
  { severity: 'page', budgetShare: 0.05, burn: (0.05 * 30 * DAY_MS) / (6 * HOUR_MS) },
  { severity: 'ticket', budgetShare: 0.1, burn: (0.1 * 30 * DAY_MS) / (3 * DAY_MS) },
];

/** Short windows in a long one. */
export const SHORT_IN_LONG = 12;
/** How often counts come; a short window is no shorter. */
export const RESOLUTION_MS = 10_000;
const MOST_ERROR_SHARE = 0.5;
const MOST_BUDGET_SHARE = 0.5;

/** The rules of one objective, most urgent first; rules that another one makes superfluous are left out. */
export const burnRulesFor = (
  { target, windowMs }: Pick<ObjectiveConfig, 'target' | 'windowMs'>,
  resolutionMs = RESOLUTION_MS,
): readonly BurnRule[] => {
  const mostBurn = Math.max(1, MOST_ERROR_SHARE / (1 - target));
  const shortestMs = Math.min(windowMs, SHORT_IN_LONG * resolutionMs);
  const rules = TABLE.map(({ severity, budgetShare, burn: tableBurn }): BurnRule => {
    const reachable = Math.min(tableBurn, mostBurn);
    const longMs = Math.max(Math.round((budgetShare * windowMs) / reachable), shortestMs);
    const burn = Math.max(1, Math.min(reachable, (MOST_BUDGET_SHARE * windowMs) / longMs));
    return { severity, longMs, shortMs: longMs / SHORT_IN_LONG, burn, budgetShare: (burn * longMs) / windowMs };
  });
  return rules.filter(
    (rule, index) => !rules.some((other, at) => at !== index && isCoveredBy(rule, other, index < at)),
  );
};

/** Whenever the rule would fire, the other one does, and is as urgent. Of two that are the same, the first stays. */
const isCoveredBy = (rule: BurnRule, other: BurnRule, isFirst: boolean): boolean =>
  rule.severity === other.severity &&
  rule.longMs === other.longMs &&
  (other.burn < rule.burn || (other.burn === rule.burn && !isFirst));

/**
 * Time from the beginning of errors until a rule fires, where all was well before and traffic is even; null: never. The
 * workbook's formula: `(1 - target) / errorShare * long * burn`.
 */
export const detectionTimeMs = (rule: BurnRule, target: number, errorShare: number): number | null => {
  const timeMs = ((1 - target) / errorShare) * rule.longMs * rule.burn;
  return errorShare > 0 && timeMs < rule.longMs ? timeMs : null;
};
