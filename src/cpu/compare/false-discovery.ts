/**
 * Which of many small p-values to believe. Of the functions that are reported, a part of at most the chosen rate is
 * reported by chance: Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57, 1995;
 * with weights: C. R. Genovese, K. Roeder and L. Wasserman, "False discovery control with p-value weighting", Biometrika
 * 93, 2006.
 */

/**
 * The q-value of each p-value: the least rate at which it would be reported. `weights` say where a discovery is expected or
 * wanted, and must not come from the p-values; they are scaled to a mean of 1.
 */
export function falseDiscoveryRates(p: readonly number[], weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const scale = sum === 0 ? 1 : weights.length / sum;
  const weighted = p.map((value, at) => {
    const weight = (weights[at] ?? 1) * scale;
    return weight === 0 ? Number.POSITIVE_INFINITY : value / weight;
  });
  const order = [...weighted.keys()].toSorted((x, y) => (weighted[y] ?? 0) - (weighted[x] ?? 0));
  const q = p.map(() => 1);
  let least = 1;
  for (const [fromLast, at] of order.entries()) {
    const rank = order.length - fromLast;
    least = Math.min(least, ((weighted[at] ?? 1) * order.length) / rank);
    q[at] = least;
  }
  return q;
}
