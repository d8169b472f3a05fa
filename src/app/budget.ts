/**
 * Bounds that the process is to keep: memory, event-loop lag, processor time. What is exceeded is seen in the health
 * document, as a metric, and by the app; whether the worker is replaced for it is decided by who reads that (under the daemon
 * `budgets` in its configuration does the same without code).
 */
import { BUDGET_NAMES, type BudgetName } from '../protocol/index.ts';
import type { Reading } from './check.ts';
import type { Health } from './health.ts';
import type { MetricRegistry } from './metrics.ts';
import type { VitalFigures } from './vitals.ts';

export type BudgetLimits = Readonly<Partial<Record<BudgetName, number>>>;

export interface BudgetOptions {
  /** Milliseconds between two measurements; default 10,000. */
  readonly interval?: number;
  /** The process is not ready while it is exceeded. Default false: then it counts as degraded. */
  readonly critical?: boolean;
  /** Called when a budget begins to be exceeded. */
  readonly onExceeded?: (excess: BudgetExcess) => void;
}

export interface BudgetExcess {
  readonly name: BudgetName;
  readonly value: number;
  readonly limit: number;
}

export interface Budget {
  /** What is exceeded now. */
  readonly exceeded: () => readonly BudgetExcess[];
  readonly stop: () => void;
}

/** What a budget needs of its surroundings. */
export interface BudgetSite {
  readonly health: Health;
  readonly metrics: MetricRegistry;
  readonly vitals: { start(): void; stop(): void; read(): VitalFigures };
  readonly wallMs: () => number;
  /** Calls `run` each so many milliseconds, until the returned function is called. */
  readonly every: (intervalMs: number, run: () => void) => () => void;
}

const DEFAULT_INTERVAL_MS = 10_000;
const UNITS: Readonly<Record<BudgetName, string>> = {
  heapUsedMB: 'MB',
  rssMB: 'MB',
  eventLoopLagMs: 'ms',
  cpuPercent: 'percent',
};

export function openBudget(limits: BudgetLimits, options: BudgetOptions, site: BudgetSite): Budget {
  const bounds = parseLimits(limits);
  const { critical = false, interval = DEFAULT_INTERVAL_MS, onExceeded } = options;
  if (!(interval > 0))
    throw new TypeError(`interval must be a number of milliseconds above 0, not ${String(interval)}`);
  const { health, metrics, vitals } = site;
  let exceeded: readonly BudgetExcess[] = [];
  let figures: VitalFigures | null = null;
  let measuredAt: number | null = null;

  const readingOf = (name: BudgetName, limit: number): Reading => {
    const value = figures?.[name] ?? null;
    const isOver = exceeded.some((one) => one.name === name);
    return {
      status: value === null ? 'pass' : isOver ? (critical ? 'fail' : 'warn') : 'pass',
      observedValue: value === null ? null : round(value),
      observedUnit: UNITS[name],
      componentType: 'system',
      output: isOver && value !== null ? `${name} is ${round(value)}, above ${limit}` : null,
      timeMs: measuredAt,
      durationMs: 0,
      ageMs: measuredAt === null ? 0 : site.wallMs() - measuredAt,
      intervalMs: interval,
    };
  };
  const gauge = metrics.gauge('drover_budget_exceeded', {
    help: 'Whether a performance budget is exceeded (1) or kept (0).',
    labels: ['budget'],
    aggregator: 'sum',
  });
  const measure = (): void => {
    const before = exceeded;
    const now = vitals.read();
    figures = now;
    measuredAt = site.wallMs();
    exceeded = bounds.flatMap(([name, limit]) => (now[name] > limit ? [{ name, value: round(now[name]), limit }] : []));
    for (const [name] of bounds) gauge.set({ budget: name }, exceeded.some((one) => one.name === name) ? 1 : 0);
    const begun = exceeded.filter(({ name }) => !before.some((one) => one.name === name));
    if (begun.length > 0 || before.length !== exceeded.length) health.changed();
    for (const excess of begun) onExceeded?.(excess);
  };
  const offs = bounds.map(([name, limit]) =>
    health.observe(`budget:${name}`, { critical, read: () => readingOf(name, limit) }),
  );
  vitals.start();
  const stopMeasuring = site.every(interval, measure);
  return {
    exceeded: () => exceeded,
    stop: () => {
      stopMeasuring();
      vitals.stop();
      for (const off of offs) off();
    },
  };
}

/** The limits as a list; throws on a name or a value that is none. */
export function parseLimits(limits: BudgetLimits): (readonly [BudgetName, number])[] {
  const entries = Object.entries(limits).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries) {
    if (!BUDGET_NAMES.includes(name as BudgetName)) {
      throw new TypeError(`There is no budget ${JSON.stringify(name)}; there are ${BUDGET_NAMES.join(', ')}`);
    }
    if (typeof value !== 'number' || !(value > 0))
      throw new TypeError(`${name} must be a number above 0, not ${String(value)}`);
  }
  if (entries.length === 0) throw new TypeError(`Name at least one of ${BUDGET_NAMES.join(', ')}`);
  return entries as [BudgetName, number][];
}

const round = (value: number): number => Math.round(value * 10) / 10;
