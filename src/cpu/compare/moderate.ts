/**
 * Variances of many functions, each estimated from a few windows, made steadier by what they have in common: the empirical
 * Bayes of limma (G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
 * microarray experiments", Stat. Appl. Genet. Mol. Biol. 3, 2004, sections 5 and 6.2). With two windows a side a variance
 * is worth little by itself, and a small one by chance would make a significant nothing.
 */
import { digamma, inverseTrigamma, trigamma } from './distributions.ts';

export interface Moderation {
  /** What an average variance is times its guess. */
  readonly scale: number;
  /** Degrees of freedom that the others' variances are worth. */
  readonly priorFreedom: number;
}

/**
 * However alike the variances look, they are not one: some functions vary much in a few launches and not at all in the others.
 * Without a limit, 1.5 times the p-values below 0.001 that there should be came of simulated windows, and 3 times of recorded
 * ones; with this one, as many functions are found as with 20.
 */
const MOST_PRIOR_FREEDOM = 6;

/**
 * Fits the common distribution of `variances` relative to their `guesses`, each estimated with `freedom` degrees. With
 * fewer than three of them nothing is learnt: no degrees of freedom.
 */
export function fitModeration(variances: readonly number[], guesses: readonly number[], freedom: number): Moderation {
  const ratios = variances.map((variance, at) => variance / (guesses[at] ?? 1));
  const sorted = ratios.toSorted((a, b) => a - b);
  // A variance of 0 is one of a function that was hardly seen; its logarithm must not decide.
  const least = 1e-5 * (sorted[sorted.length >> 1] ?? 1) || 1e-12;
  const logs = ratios.map((ratio) => Math.log(Math.max(ratio, least)) - digamma(freedom / 2) + Math.log(freedom / 2));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  if (logs.length < 3) return { scale: Math.exp(mean), priorFreedom: 0 };
  const spread = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const excess = spread - trigamma(freedom / 2);
  if (excess <= 0) return { scale: Math.exp(mean), priorFreedom: MOST_PRIOR_FREEDOM };
  const half = inverseTrigamma(excess);
  const scale = Math.exp(mean + digamma(half) - Math.log(half));
  return { scale, priorFreedom: Math.min(2 * half, MOST_PRIOR_FREEDOM) };
}

/** One variance, drawn towards its guess as far as the fit says. */
export function moderate(variance: number, guess: number, freedom: number, fit: Moderation): number {
  return (fit.priorFreedom * fit.scale * guess + freedom * variance) / (fit.priorFreedom + freedom);
}
