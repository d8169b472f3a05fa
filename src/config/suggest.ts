/** The nearest right name for a wrong one: for keys, values, apps and commands alike. */
import { distance } from 'fastest-levenshtein';

/** Case and separators are matters of habit: `env_file` and `envFile` are one name. */
const toPlain = (name: string): string => name.toLowerCase().replaceAll(/[-_\s]/g, '');
const sortLetters = (word: string): string => Array.from(word).sort().join('');

/** How many slips apart two words are. Letters in the wrong order are one slip, not two. */
const countSlips = (a: string, b: string): number => {
  const away = distance(a, b);
  return away > 1 && sortLetters(a) === sortLetters(b) ? 1 : away;
};

/** The most similar of `names`, or null where none is similar enough to be what was meant. */
export const findNearest = (wrong: string, names: Iterable<string>): string | null => {
  const plain = toPlain(wrong);
  let best: { name: string; slips: number } | null = null;
  for (const name of names) {
    const slips = countSlips(plain, toPlain(name));
    if (best === null || slips < best.slips) best = { name, slips };
  }
  if (best === null) return null;
  return best.slips <= Math.max(1, Math.floor(Math.min(wrong.length, best.name.length) / 3)) ? best.name : null;
};
