/** How deep a configuration may be: far beyond any honest one, and no danger to what walks through it recursively. */
export const DEEPEST = 64;

/** Looks without recursion, because the answer is for those who recurse. */
export const isNestedTooDeeply = (value: unknown): boolean => {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= DEEPEST; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    if (level.length === 0) return false;
  }
  return true;
};
