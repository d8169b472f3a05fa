/**
 * Whether observed over expected differs between the two sides, for many functions at once: a moderated t-test each, and the
 * false discoveries controlled over all of them.
 */
import { twoSidedP } from './distributions.ts';
import { falseDiscoveryRates } from './false-discovery.ts';
import { fitModeration, moderate } from './moderate.ts';
import type { Observation } from './reference.ts';

export interface DifferenceInput {
  /** Per unit (a launch, or a window): 0 for the first side, 1 for the second. */
  readonly sides: Float64Array;
  /** Per function, by units. */
  readonly observations: readonly Observation[];
  /**
   * Per function: how much a discovery there is wanted. Must not come from what differs between the sides.
   */
  readonly weights: readonly number[];
  /** What the squares of standard errors are multiplied with. */
  readonly inflation: number;
}

export interface Difference {
  /** Of the logarithms: second side less first. */
  readonly log: number;
  readonly standardError: number;
  readonly freedom: number;
  readonly p: number;
  readonly q: number;
}

/** Per function. Three units are the least. */
export function testDifferences({ sides, observations, weights, inflation }: DifferenceInput): Difference[] {
  const counts = [0, 1].map((side) => sides.filter((one) => one === side).length) as [number, number];
  const ownFreedom = Math.max(sides.length - 2, 1);
  const fits = observations.map(({ observed, expected }) =>
    fitDifference(
      observed.map((ticks, at) => Math.log((ticks + 0.5) / ((expected[at] ?? 0) + 0.5))),
      sides,
    ),
  );
  const sampling = observations.map(({ samplingVariance: [one, other] }) => (one + other) / 2);
  const variances = fits.map(({ squares }) => squares / ownFreedom);
  const guesses = guessVariances(variances, observations, sampling);
  const moderation = fitModeration(variances, guesses, ownFreedom);
  const freedom = ownFreedom + moderation.priorFreedom;
  const tests = fits.map(({ difference: log }, at) => {
    const variance = moderate(variances[at] ?? 0, guesses[at] ?? 1, ownFreedom, moderation);
    // What sampling alone makes is known, and is never less for chance.
    const [one, other] = observations[at]?.samplingVariance ?? [1, 1];
    const least = one / counts[0] + other / counts[1];
    const standardError = Math.sqrt(inflation * Math.max(variance * (1 / counts[0] + 1 / counts[1]), least));
    return { log, standardError, freedom, p: twoSidedP(log / standardError, freedom) };
  });
  // Where a function is known to vary much, or was seldom sampled, little can be found, and little is spent on looking. The
  // guess is of its kind, not of its own windows: a weight must not know the p-value that it weighs.
  const q = falseDiscoveryRates(
    tests.map(({ p }) => p),
    guesses.map((guess, at) => (weights[at] ?? 0) / guess),
  );
  return tests.map((test, at) => ({ ...test, q: q[at] ?? 1 }));
}

interface Fit {
  /** Mean of the second side less that of the first. */
  readonly difference: number;
  /** Sum of the squares of what is left within the sides. */
  readonly squares: number;
}

function fitDifference(values: Float64Array, sides: Float64Array): Fit {
  const [first, second] = [0, 1].map((side) => {
    const own = values.filter((_, at) => sides[at] === side);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  }) as [number, number];
  const squares = values.reduce((sum, value, at) => sum + (value - (sides[at] === 1 ? second : first)) ** 2, 0);
  return { difference: second - first, squares };
}

/** Of a logarithm: a thousandth. Less is not noise, and a division by 0 in the making. */
const LEAST_VARIANCE = 1e-6;

/** Above this part of all ticks, what a function is measured against is a mixture of many things. */
const WIDE_REFERENCE = 0.4;
/** Fewer functions of a kind tell nothing about it. */
const LEAST_OF_KIND = 5;

/**
 * What variance to expect of a function: that of sampling, which its ticks tell, and one common to all of its kind, the
 * median of what is left. There are two kinds: what is measured within a caller of its own varies little, what is measured
 * against nearly everything varies with the mix of the load.
 */
function guessVariances(
  variances: readonly number[],
  observations: readonly Observation[],
  sampling: readonly number[],
): number[] {
  const left = variances.map((variance, at) => variance - (sampling[at] ?? 0));
  const isWide = observations.map(({ referenceShare }) => referenceShare > WIDE_REFERENCE);
  const medianOf = (kind: boolean | null): number => {
    const own = left.filter((_, at) => kind === null || isWide[at] === kind).toSorted((x, y) => x - y);
    return own.length < LEAST_OF_KIND && kind !== null
      ? medianOf(null)
      : Math.max(own[own.length >> 1] ?? 0, LEAST_VARIANCE);
  };
  const common = { wide: medianOf(true), narrow: medianOf(false) };
  return sampling.map((variance, at) => variance + (isWide[at] === true ? common.wide : common.narrow));
}
