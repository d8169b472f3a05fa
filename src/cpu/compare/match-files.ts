/**
 * Which file of one version is which of the other. A release is often deployed to a folder of its own, and a bundler puts
 * a hash of the content into names: neither makes a new file. Knows names only; it never looks at the disk.
 */

/** Path of `b` for each path of `a` that has one; every path is used at most once. */
export function matchFiles(a: readonly string[], b: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  const taken = new Set<string>();
  const pair = (one: string, other: string): void => {
    pairs.set(one, other);
    taken.add(other);
  };
  const others = new Set(b);
  for (const path of a) if (others.has(path)) pair(path, path);
  for (const nameOf of [plainPath, (path: string): string => withoutHashes(plainPath(path))]) {
    const left = a.filter((path) => !pairs.has(path));
    const free = b.filter((path) => !taken.has(path));
    for (const [one, other] of matchByRoots(left, free, nameOf)) pair(one, other);
  }
  return pairs;
}

/** A `file:` URL as a path, without query and fragment; anything else as it is. */
export const plainPath = (url: string): string =>
  url.startsWith('file://') ? url.slice('file://'.length).replace(/[?#].*$/u, '') : url;

/**
 * The parts of a file's name that look like a hash of the content become `*`: eight characters or more between dots and
 * dashes, hexadecimal or a mix of letters and digits. The folders stay.
 */
export function withoutHashes(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash).replaceAll(/(?<=[.-])[\w]{8,}(?=\.|-|$)/gu, (part) => (isHash(part) ? '*' : part));
  return path.slice(0, slash) + name;
}

const isHash = (part: string): boolean => /\d/u.test(part) && (/^[\da-f]+$/iu.test(part) || /[a-z]/iu.test(part));

/**
 * Files whose paths end alike, below the pair of roots that most of them agree on: `/srv/41/src/index.js` is
 * `/srv/42/src/index.js` and not `/srv/42/src/api/index.js`, because the other files of `/srv/41` are in `/srv/42` too.
 */
function matchByRoots(
  a: readonly string[],
  b: readonly string[],
  nameOf: (path: string) => string,
): (readonly [string, string])[] {
  const byName = groupBy(b, (path) => baseName(nameOf(path)));
  const votes = new Map<string, (readonly [string, string])[]>();
  for (const one of a) {
    for (const other of byName.get(baseName(nameOf(one))) ?? []) {
      const roots = rootsOf(nameOf(one), nameOf(other));
      const agreed = votes.get(roots);
      if (agreed === undefined) votes.set(roots, [[one, other]]);
      else agreed.push([one, other]);
    }
  }
  // More files first; where two pairs of roots have as many, the longer common end, which is the shorter root.
  const ranked = [...votes].toSorted(([x, one], [y, other]) => other.length - one.length || x.length - y.length);
  const found = new Map<string, string>();
  const taken = new Set<string>();
  for (const [, agreed] of ranked) {
    for (const [one, other] of agreed) {
      if (found.has(one) || taken.has(other)) continue;
      found.set(one, other);
      taken.add(other);
    }
  }
  return [...found];
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** What is left of both paths when their common end, in whole parts, is taken off. */
function rootsOf(one: string, other: string): string {
  const [x, y] = [one.split('/'), other.split('/')];
  let same = 0;
  while (same < x.length && same < y.length && x.at(-1 - same) === y.at(-1 - same)) same += 1;
  return `${x.slice(0, x.length - same).join('/')}\n${y.slice(0, y.length - same).join('/')}`;
}

/** The items by key, in their order. */
export function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
