/**
 * Whether observed over expected differs between the two sides, for many functions at once: a moderated t-test each, with
 * the factors that the other functions show held, and the false discoveries controlled over all of them.
 */
import { twoSidedP } from './distributions.ts';
import { dot, Factors, type Fit, fitDifference, mostFactors } from './factors.ts';
import { falseDiscoveryRates } from './false-discovery.ts';
import { fitModeration, moderate } from './moderate.ts';
import type { Observation } from './reference.ts';

export interface DifferenceInput {
  /** Per unit (a launch, or a window): 0 for the first side, 1 for the second. */
  readonly sides: Float64Array;
  /** Per function, by units. */
  readonly observations: readonly Observation[];
  /**
   * Per function: how much a discovery there is wanted; 0 for those that are only there to show factors. Must not come from
   * what differs between the sides.
   */
  readonly weights: readonly number[];
  /** Functions (by index) that are known to have changed, so that they show no factor. */
  readonly without: ReadonlySet<number>;
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
export function testDifferences({ sides, observations, weights, without, inflation }: DifferenceInput): Difference[] {
  const values = observations.map(({ observed, expected }) =>
    observed.map((ticks, at) => Math.log((ticks + 0.5) / ((expected[at] ?? 0) + 0.5))),
  );
  const sampling = observations.map(({ samplingVariance: [one, other] }) => (one + other) / 2);
  const fits = fitAll(sides, values, sampling, weights, without);
  const ownFreedom = Math.max(fits[0]?.freedom ?? 1, 1);
  const variances = fits.map(({ residuals }) => dot(residuals, residuals) / ownFreedom);
  const guesses = guessVariances(variances, observations, sampling, weights);
  const isTested = (_: number, at: number): boolean => (weights[at] ?? 0) > 0;
  const moderation = fitModeration(variances.filter(isTested), guesses.filter(isTested), ownFreedom);
  const freedom = ownFreedom + moderation.priorFreedom;
  const tests = fits.map(({ difference: log, contrast }, at) => {
    const variance = moderate(variances[at] ?? 0, guesses[at] ?? 1, ownFreedom, moderation);
    // What sampling alone makes is known, and is never less for chance.
    const least = contrast.reduce((sum, part, unit) => {
      const own = observations[at]?.samplingVariance[sides[unit] === 1 ? 1 : 0] ?? 1;
      return sum + own * part * part;
    }, 0);
    const standardError = Math.sqrt(inflation * Math.max(variance * dot(contrast, contrast), least));
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

/** Each function's difference of the sides, with as many of the factors that the others show as are worth their windows. */
function fitAll(
  sides: Float64Array,
  values: readonly Float64Array[],
  sampling: readonly number[],
  weights: readonly number[],
  without: ReadonlySet<number>,
): Fit[] {
  const plain = values.map((value) => fitDifference(value, sides, []));
  const residuals = plain.map((fit) => fit.residuals);
  const scales = residuals.map((residual, at) =>
    Math.sqrt(dot(residual, residual) / (sides.length - 2) + (sampling[at] ?? 0) + LEAST_VARIANCE),
  );
  const most = mostFactors(sides.length, values.length);
  const factors = new Factors({ values, residuals, scales, without });
  const scores = values.map((_, at) => factors.scoresFor(at, most));
  const fitWith = (count: number): Fit[] =>
    values.map((value, at) => fitDifference(value, sides, (scores[at] ?? []).slice(0, count)));
  const candidates = [plain, ...Array.from({ length: most }, (_, at) => fitWith(at + 1))];
  const errors = candidates.map((fits) => predictionError(fits, weights));
  return candidates[errors.indexOf(Math.min(...errors))] ?? plain;
}

/**
 * How badly a number of factors foretells windows: the mean logarithm over functions of the generalised cross-validation (P.
 * Craven and G. Wahba, Numer. Math. 31, 1979), which charges each factor for the freedom that it takes. It looks at what is
 * left within the sides, never at the difference between them.
 */
function predictionError(fits: readonly Fit[], weights: readonly number[]): number {
  let [sum, all] = [0, 0];
  for (const [at, { residuals, freedom }] of fits.entries()) {
    const weight = weights[at] ?? 0;
    sum += weight * Math.log(dot(residuals, residuals) / (freedom * freedom) + 1e-12);
    all += weight;
  }
  return all === 0 ? 0 : sum / all;
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
  weights: readonly number[],
): number[] {
  const left = variances.map((variance, at) => variance - (sampling[at] ?? 0));
  const isWide = observations.map(({ referenceShare }) => referenceShare > WIDE_REFERENCE);
  const medianOf = (kind: boolean | null): number => {
    const own = left
      .filter((_, at) => (weights[at] ?? 0) > 0 && (kind === null || isWide[at] === kind))
      .toSorted((x, y) => x - y);
    return own.length < LEAST_OF_KIND && kind !== null
      ? medianOf(null)
      : Math.max(own[own.length >> 1] ?? 0, LEAST_VARIANCE);
  };
  const common = { wide: medianOf(true), narrow: medianOf(false) };
  return sampling.map((variance, at) => variance + (isWide[at] === true ? common.wide : common.narrow));
}
