/** Order of versions (semver.org): numbers by their value, and what is before a release (`1.0.0-beta.2`) before it. */

/** Below zero where `a` comes before `b`. What is no version comes first. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [parse(a), parse(b)];
  for (const index of [0, 1, 2]) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.before === right.before) return 0;
  if (left.before === '') return 1;
  if (right.before === '') return -1;
  return compareWords(left.before.split('.'), right.before.split('.'));
};

const parse = (version: string): { readonly numbers: readonly number[]; readonly before: string } => {
  const [, numbers = '', before = ''] = /^v?(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?/.exec(version) ?? [];
  return { numbers: numbers.split('.').map(Number), before };
};

const compareWords = (left: readonly string[], right: readonly string[]): number => {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [a, b] = [left[index], right[index]];
    if (a === b) continue;
    if (a === undefined) return -1;
    if (b === undefined) return 1;
    const [isNumber, isOtherNumber] = [a, b].map((word) => /^\d+$/.test(word));
    if (isNumber && isOtherNumber) return Number(a) - Number(b);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return 0;
};
