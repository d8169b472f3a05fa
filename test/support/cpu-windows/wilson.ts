/** Wilson's interval of a rate (J. Am. Stat. Assoc. 22, 1927), at 95 %: sound for rates near 0 and 1 and for few trials. */
export function wilson(hits: number, trials: number): readonly [number, number] {
  const z = 1.959_964;
  const rate = hits / trials;
  const middle = rate + (z * z) / (2 * trials);
  const half = z * Math.sqrt((rate * (1 - rate)) / trials + (z * z) / (4 * trials * trials));
  const scale = 1 + (z * z) / trials;
  return [Math.max((middle - half) / scale, 0), Math.min((middle + half) / scale, 1)];
}
