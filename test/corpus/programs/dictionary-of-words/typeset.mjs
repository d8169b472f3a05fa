import { hyphenations } from './words.mjs';

const words = [...hyphenations.keys()];
const lastParagraphs = Array.from({ length: 8 });

export async function typeset(number) {
  const text = Array.from({ length: 40 }, (_, i) => words[(number * 41 + i * 17) % words.length]);
  const lines = text.map((word) => {
    const { best } = hyphenations.get(word);
    return `${word.slice(0, best.at)}-${word.slice(best.at)}`;
  });
  lastParagraphs[number % lastParagraphs.length] = { number, lines };
  return lines.length;
}
