/**
 * What a soak has shown, from what was seen: pure, so that it can be tried on runs that never were. A run whose interval
 * is wide shows nothing, however well zero lies in it: memory holds only where the run could have told the growth that
 * it must exclude.
 */
import { type Census, differenceOf } from './descriptors.ts';
import type { Holdings } from './quiet.ts';
import { estimateSlope, LEAST_POINTS, type Slope } from './slope.ts';
import type { SoakedProcess, SoakResult } from './soak-result.ts';

export const MEASURES = [
  'privateDirtyBytes',
  'restingBytes',
  'pssBytes',
  'rssBytes',
  'aliveBytes',
  'codeBytes',
] as const;
export type Measure = (typeof MEASURES)[number];

const MB = 1e6;

export type Growth =
  /** Zero lies within the interval. */
  | 'none'
  | 'rises'
  | 'falls'
  /** Too few points for an interval. */
  | 'unknown';

export interface MemoryFinding {
  readonly process: string;
  readonly measure: Measure;
  readonly points: number;
  /** Median after the warm-up. */
  readonly level: number;
  /** In MB an hour; null where `growth` is unknown. */
  readonly slope: Slope | null;
  readonly growth: Growth;
}

export interface Difference {
  /** From 1. */
  readonly round: number;
  readonly more: Census;
}

export interface HoldingsFinding {
  readonly process: string;
  /** At the first quiet point after the warm-up, to which all later ones are compared. */
  readonly descriptors: Census;
  readonly threads: number;
  readonly children: number;
  /** Quiet points that were compared with it. */
  readonly compared: number;
  /** Where something was different, and what: kinds of descriptors, `threads`, `children`. */
  readonly differences: readonly Difference[];
}

export const judgeMemory = (result: SoakResult): MemoryFinding[] =>
  processesOf(result).flatMap((process) =>
    MEASURES.map((measure) => findGrowth(process, measure, result.warmUpRounds)),
  );

export const judgeHoldings = (result: SoakResult): HoldingsFinding[] =>
  processesOf(result).map((process) => findDifferences(process, result.warmUpRounds));

/** Half of the interval: the growth that this run could tell from none. */
export const resolutionOf = ({ low, high }: Slope): number => (high - low) / 2;

const processesOf = (result: SoakResult): readonly SoakedProcess[] => [result.daemon, ...result.workers];

function findGrowth({ name, points }: SoakedProcess, measure: Measure, warmUpRounds: number): MemoryFinding {
  const seen = points
    .slice(warmUpRounds)
    .flatMap((point) => (point[measure] === null ? [] : [{ at: point.atHours, value: point[measure] / MB }]));
  const slope = seen.length < LEAST_POINTS ? null : estimateSlope(seen);
  const levels = seen.map(({ value }) => value).toSorted((a, b) => a - b);
  return {
    process: name,
    measure,
    points: seen.length,
    level: levels[levels.length >> 1] ?? Number.NaN,
    slope,
    growth: slope === null ? 'unknown' : slope.low > 0 ? 'rises' : slope.high < 0 ? 'falls' : 'none',
  };
}

function findDifferences({ name, points, holdings }: SoakedProcess, warmUpRounds: number): HoldingsFinding {
  const holdingsAt = (round: number): Holdings => {
    const found = holdings.findLast(({ fromRound }) => fromRound <= round);
    if (found === undefined) throw new Error('the soak ended within its warm-up');
    return found;
  };
  const { descriptors, threads, children } = holdingsAt(warmUpRounds);
  const differences: Difference[] = [];
  for (let round = warmUpRounds + 1; round < points.length; round += 1) {
    const more = differenceOf(countsOf(holdingsAt(warmUpRounds)), countsOf(holdingsAt(round)));
    if (Object.keys(more).length > 0) differences.push({ round: round + 1, more });
  }
  return {
    process: name,
    descriptors,
    threads,
    children,
    compared: Math.max(0, points.length - warmUpRounds - 1),
    differences,
  };
}

const countsOf = ({ descriptors, threads, children }: Holdings): Census => ({ ...descriptors, threads, children });
