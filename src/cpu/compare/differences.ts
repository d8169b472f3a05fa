/**
 * Whether observed over expected differs between the two sides, for many functions at once: a moderated t-test each, with
 * the factors that the other functions show held, the windows of one launch counted for what they are worth, and the false
 * discoveries controlled over all of them.
 */
import { twoSidedP } from './distributions.ts';
import { countFactors, dot, Factors, type Fit, fitDifference } from './factors.ts';
import { falseDiscoveryRates } from './false-discovery.ts';
import { contrastVariance, effectiveCount, estimateCorrelation, type Launches, varianceOf } from './launches.ts';
import { fitModeration, moderate } from './moderate.ts';
import type { Observation } from './reference.ts';

export interface DifferenceInput {
  /** Per window: 0 for the first side, 1 for the second. */
  readonly sides: Float64Array;
  readonly launches: Launches;
  /** Per function. */
  readonly observations: readonly Observation[];
  /** Per function: how much a discovery there is wanted. Must not come from what differs between the sides. */
  readonly weights: readonly number[];
  /** Functions (by index) that are known to have changed, so that they show no factor. */
  readonly without: ReadonlySet<number>;
}

export interface Difference {
  /** Of the logarithms: second side less first. */
  readonly log: number;
  readonly standardError: number;
  readonly freedom: number;
  readonly p: number;
  readonly q: number;
}

export interface Differences {
  /** Per function. */
  readonly tests: readonly Difference[];
  /** How much windows of one launch have in common. */
  readonly correlation: number;
}

/** Each side needs two windows at least. */
export function testDifferences({ sides, launches, observations, weights, without }: DifferenceInput): Differences {
  const windows = sides.length;
  const values = observations.map(({ observed, expected }) =>
    observed.map((ticks, at) => Math.log((ticks + 0.5) / ((expected[at] ?? 0) + 0.5))),
  );
  const sampling = observations.map(({ samplingVariance: [one, other] }) => (one + other) / 2);
  const fits = fitAll(sides, values, sampling, without);
  const correlation = estimateCorrelation(fits, launches);
  const lost = 2 + countFactors(windows, values.length);
  const worth = effectiveCount(launches.a, correlation) + effectiveCount(launches.b, correlation);
  const ownFreedom = Math.max(worth - lost, 1);
  const variances = fits.map((fit) => varianceOf(fit, launches, correlation));
  const guesses = guessVariances(variances, sampling);
  const moderation = fitModeration(variances, guesses, ownFreedom);
  const freedom = ownFreedom + moderation.priorFreedom;
  const tests = fits.map(({ difference: log, contrast }, at) => {
    const variance = moderate(variances[at] ?? 0, guesses[at] ?? 1, ownFreedom, moderation);
    // What sampling alone makes is known, and is never less for chance.
    const least = contrast.reduce((sum, part, window) => {
      const own = observations[at]?.samplingVariance[sides[window] === 1 ? 1 : 0] ?? 1;
      return sum + own * part * part;
    }, 0);
    const standardError = Math.sqrt(Math.max(variance * contrastVariance(contrast, launches, correlation), least));
    return { log, standardError, freedom, p: twoSidedP(log / standardError, freedom) };
  });
  const q = falseDiscoveryRates(
    tests.map(({ p }) => p),
    weights,
  );
  return { tests: tests.map((test, at) => ({ ...test, q: q[at] ?? 1 })), correlation };
}

/** Each function's difference of the sides, with the factors that the others show. */
function fitAll(
  sides: Float64Array,
  values: readonly Float64Array[],
  sampling: readonly number[],
  without: ReadonlySet<number>,
): Fit[] {
  const residuals = values.map((value) => fitDifference(value, sides, []).residuals);
  const scales = residuals.map((residual, at) =>
    Math.sqrt(dot(residual, residual) / (sides.length - 2) + (sampling[at] ?? 0) + LEAST_VARIANCE),
  );
  const factors = new Factors({ values, residuals, scales, without }, countFactors(sides.length, values.length));
  return values.map((value, at) => fitDifference(value, sides, factors.scoresFor(at)));
}

/** Of a logarithm: a thousandth. Less is not noise, and a division by 0 in the making. */
const LEAST_VARIANCE = 1e-6;

/**
 * What variance to expect of a function: that of sampling, which its ticks tell, and one common to all, the median of what
 * is left.
 */
function guessVariances(variances: readonly number[], sampling: readonly number[]): number[] {
  const left = variances.map((variance, at) => variance - (sampling[at] ?? 0)).toSorted((x, y) => x - y);
  const common = Math.max(left[left.length >> 1] ?? 0, LEAST_VARIANCE);
  return sampling.map((variance) => variance + common);
}
