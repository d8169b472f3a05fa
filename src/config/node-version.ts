/** Versions of Node, as people and binaries write them. */

/** `24.21.0` is a `24` and a `24.21`, not a `2`. */
export const isVersion = (version: string, wanted: string): boolean =>
  version === wanted.replace(/^v/, '') || version.startsWith(`${wanted.replace(/^v/, '')}.`);

export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};
