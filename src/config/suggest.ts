/** The nearest right name for a wrong one: for keys, values, apps and commands alike. */
import { distance } from 'fastest-levenshtein';

/** The most similar of `names`, or null where none is similar enough to be what was meant. */
export const findNearest = (wrong: string, names: Iterable<string>): string | null => {
  const plain = wrong.toLowerCase().replaceAll(/[-_\s]/g, '');
  let best: { name: string; away: number } | null = null;
  for (const name of names) {
    const away = distance(plain, name.toLowerCase().replaceAll(/[-_\s]/g, ''));
    if (best === null || away < best.away) best = { name, away };
  }
  if (best === null) return null;
  return best.away <= Math.max(1, Math.floor(Math.min(wrong.length, best.name.length) / 3)) ? best.name : null;
};
