/**
 * Two sets of profiles, and the functions that take more or less of the processor in one than in the other. The windows of
 * each set show how much a function varies by itself; only what goes beyond that is a change. The method, its sources and
 * what it was measured to do: docs/internals/cpu-diff.md.
 */
import type { CpuFunction } from '../model/profile.ts';
import { type Difference, testDifferences } from './differences.ts';
import { criticalT } from './distributions.ts';
import { addUp, groupUnits, type Units } from './launches.ts';
import type { MatchedBy } from './match-functions.ts';
import { References, type Without } from './reference.ts';
import { Shares } from './shares.ts';
import { type Table, tabulate } from './table.ts';
import type { ProfileWindow } from './window.ts';

export interface CompareOptions {
  /** Least change that is reported, as a part: 0.03 is 3 % more, or the inverse of it less. */
  readonly minEffect: number;
  /** Least part of on-CPU time that a function must take, in the mean of both sides, to be tested. */
  readonly minShare: number;
  /** Part of the reported functions that may be there by chance. */
  readonly falseDiscoveryRate: number;
}

/** Recorded windows are not as well behaved as theory: at 3 %, 2.3 to 4.0 % of comparisons of equal sets reported something (docs/internals/cpu-diff.md). */
export const COMPARE_DEFAULTS: CompareOptions = { minEffect: 0.03, minShare: 0.005, falseDiscoveryRate: 0.03 };

export interface ComparedFunction {
  readonly name: string;
  readonly url: string;
  /** Of the later version, where it has the function. From 1; 0 where unknown. */
  readonly line: number;
  readonly column: number;
  /** The function as each version has it; null where a version never ran it. */
  readonly functions: readonly [CpuFunction | null, CpuFunction | null];
  readonly matchedBy: MatchedBy | null;
  /** Mean part of on-CPU time in it alone, in each set. */
  readonly selfShare: readonly [number, number];
  /** The same with everything that it called. */
  readonly totalShare: readonly [number, number];
  /** Mean milliseconds of a core in it alone, per second of the clock; null where the files do not tell. */
  readonly selfMsPerSecond: readonly [number, number] | null;
  /**
   * How much longer it takes for the same work of its callers: 0.1 is 10 % more. Null where it was not tested, because it
   * takes too little or there are too few windows.
   */
  readonly effect: number | null;
  /** Of `effect`, at 95 %. */
  readonly interval: readonly [number, number] | null;
  readonly p: number | null;
  /** The least false-discovery rate at which it would be reported. */
  readonly q: number | null;
  readonly isChanged: boolean;
  /** Names of the functions whose other work it was compared with, the weightiest first. Empty where it was not tested. */
  readonly comparedWithin: readonly string[];
}

export interface CpuComparison {
  /** Most time gained or lost first. */
  readonly changed: readonly ComparedFunction[];
  /** All functions of both versions, changed or not, most time first. */
  readonly functions: readonly ComparedFunction[];
  readonly windows: readonly [number, number];
  readonly launches: readonly [number, number];
  /** Mean milliseconds of a core per second of the clock, in each set; null where the files do not tell. */
  readonly onCpuMsPerSecond: readonly [number, number] | null;
  /** How many functions were tested; 0 where there are too few windows to test anything. */
  readonly tested: number;
  readonly notes: readonly string[];
}

/** Least windows of each side for a test. */
const LEAST_WINDOWS = 2;
/** How many of the functions that seem changed are tried in a round, the surest ones. */
const MOST_SUSPECTS = 6;
/** Most rounds of leaving a changed function out of what the others are measured against. */
const MOST_ROUNDS = 25;

/**
 * Compares `b` with `a`. Windows should be of the same kind: the same length, interval of sampling and service. Throws a
 * RangeError where a side has no window with any time on the processor.
 */
export function compareProfiles(
  a: readonly ProfileWindow[],
  b: readonly ProfileWindow[],
  options: Partial<CompareOptions> = {},
): CpuComparison {
  const { minEffect, minShare, falseDiscoveryRate } = { ...COMPARE_DEFAULTS, ...options };
  const isBusy = ({ onCpuTicks }: ProfileWindow): boolean => onCpuTicks > 0;
  const [busyA, busyB] = [a.filter(isBusy), b.filter(isBusy)];
  if (busyA.length === 0 || busyB.length === 0)
    throw new RangeError(`the ${busyA.length === 0 ? 'first' : 'second'} set has no time on the processor`);
  const table = tabulate(busyA, busyB);
  const shares = new Shares(table);
  const meanShare = (row: number): number => sum(shares.self(row)) / 2;
  const rows = [...table.rows.keys()].filter(
    (row) => meanShare(row) >= minShare && meanShare(row) > 0 && table.columns[0]?.rowOf[0] !== row,
  );
  const units = groupUnits(table.columns);
  const canTest = Math.min(busyA.length, busyB.length) >= LEAST_WINDOWS;
  const limits = { falseDiscoveryRate, leastLog: Math.log1p(minEffect) };
  // Where a function takes more, its change matters more, and is seen more easily.
  const weights = rows.map(meanShare);
  const results = canTest ? testFunctions(table, rows, weights, units, limits) : new Map<number, TestResult>();
  const functions = [...table.rows.keys()]
    .map((row) => describe(table, row, shares, results.get(row) ?? null, limits))
    .filter(({ selfShare: [one, other], totalShare: [allOne, allOther] }) => one + other + allOne + allOther > 0)
    .toSorted((x, y) => sum(y.selfShare) - sum(x.selfShare));
  const changed = functions.filter(({ isChanged }) => isChanged);
  return {
    changed: changed.toSorted((x, y) => moved(y) - moved(x)),
    functions,
    windows: [busyA.length, busyB.length],
    launches: units.launches,
    onCpuMsPerSecond: shares.onCpuMsPerSecond,
    tested: results.size,
    notes: listNotes([a.length - busyA.length, b.length - busyB.length], canTest, units),
  };
}

const sum = ([one, other]: readonly [number, number]): number => one + other;
const moved = ({ selfShare: [one, other] }: ComparedFunction): number => Math.abs(other - one);

interface Limits {
  readonly falseDiscoveryRate: number;
  readonly leastLog: number;
}

interface TestResult extends Difference {
  readonly references: readonly number[];
}

/**
 * Tests in rounds. A function that got slower is left out of what the others are measured against, and the others are tested
 * anew: or everything beside it would look as if it had got faster. One that runs more often, with all that it calls, is left
 * out with all of it for the others, and is the right measure for what it calls. Which of these it is, the others tell: the
 * one is taken that leaves fewest of them changed.
 */
function testFunctions(
  table: Table,
  rows: readonly number[],
  weights: readonly number[],
  units: Units,
  limits: Limits,
): Map<number, TestResult> {
  const { sides, inflation } = units;
  const test = (without: Without): TestResult[] => {
    const references = new References(table, without);
    const observations = rows.map((row) => addUp(references.observe(row), units));
    const differences = testDifferences({ sides, observations, weights, inflation });
    return differences.map((one, at) => ({ ...one, references: observations[at]?.references ?? [] }));
  };
  const listSignificant = (tests: readonly TestResult[], besides: ReadonlyMap<number, unknown>): number[] =>
    [...tests.keys()].filter((at) => !besides.has(at) && (tests[at]?.q ?? 1) <= limits.falseDiscoveryRate);
  let without: Without = new Map();
  let tests = test(without);
  // With the rate at which each was picked: when it is no longer in what its neighbours are measured against, they do not
  // speak for it any more.
  const picked = new Map<number, number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const suspects = listSignificant(tests, picked).toSorted((x, y) => compareStrength(tests[x], tests[y]));
    const [surest] = suspects;
    if (surest === undefined) break;
    // Left in, it has changed all the same; the others stay what they are.
    let best = { at: surest, left: suspects.length - 1, without, tests };
    for (const at of suspects.slice(0, MOST_SUSPECTS))
      for (const how of ['own time', 'all below'] as const) {
        const tried = new Map([...without, [rows[at] ?? -1, how]]);
        const triedTests = test(tried);
        const left = listSignificant(triedTests, new Map([...picked, [at, 0]])).length;
        // Of two that are measured against each other, one took more or the other less: the larger one is the likelier.
        const isLikelier = best.without === without || (weights[at] ?? 0) > (weights[best.at] ?? 0);
        if (left < best.left || (left === best.left && isLikelier))
          best = { at, left, without: tried, tests: triedTests };
      }
    picked.set(best.at, tests[best.at]?.q ?? 1);
    ({ without, tests } = best);
  }
  return new Map(tests.map((one, at) => [rows[at] ?? -1, { ...one, q: Math.min(one.q, picked.get(at) ?? 1) }]));
}

/** The surer one first. */
const compareStrength = (one?: Difference, other?: Difference): number =>
  one === undefined || other === undefined ? 0 : one.q - other.q || size(other) - size(one);

const size = ({ log, standardError }: Difference): number => Math.abs(log / standardError);

const isReported = ({ q, log }: Difference, { falseDiscoveryRate, leastLog }: Limits): boolean =>
  q <= falseDiscoveryRate && Math.abs(log) >= leastLog;

function describe(
  { rows }: Table,
  row: number,
  shares: Shares,
  result: TestResult | null,
  limits: Limits,
): ComparedFunction {
  const { a = null, b = null, by = null } = rows[row] ?? {};
  const shown = b ?? a;
  const half = result === null ? 0 : criticalT(0.05, result.freedom) * result.standardError;
  return {
    name: shown?.name ?? '',
    url: shown?.url ?? '',
    line: shown?.line ?? 0,
    column: shown?.column ?? 0,
    functions: [a, b],
    matchedBy: by,
    selfShare: shares.self(row),
    totalShare: shares.total(row),
    selfMsPerSecond: shares.selfMsPerSecond(row),
    effect: result === null ? null : Math.expm1(result.log),
    interval: result === null ? null : [Math.expm1(result.log - half), Math.expm1(result.log + half)],
    p: result?.p ?? null,
    q: result?.q ?? null,
    isChanged: result !== null && isReported(result, limits),
    comparedWithin: (result?.references ?? []).map((above) => rows[above]?.b?.name ?? rows[above]?.a?.name ?? ''),
  };
}

function listNotes(idle: readonly [number, number], canTest: boolean, { inflation }: Units): string[] {
  const notes: string[] = [];
  for (const [at, name] of (['first', 'second'] as const).entries())
    if ((idle[at] ?? 0) > 0)
      notes.push(`windows of the ${name} set without any time on the processor, left out: ${idle[at]}`);
  if (!canTest)
    notes.push(
      'one profile does not show how much a function varies by itself: differences are listed, none is tested',
    );
  else if (inflation !== 1)
    notes.push('each set is of one launch: what differs between launches by chance is assumed, not measured');
  return notes;
}
