const SYLLABLES = ['ba', 'ko', 'li', 'me', 'nu', 'ra', 'si', 'to', 'va', 'ze'];

/** Hyphenations of all words of four syllables: worked out at the start, only read later. */
export const hyphenations = new Map();

for (const a of SYLLABLES)
  for (const b of SYLLABLES)
    for (const c of SYLLABLES)
      for (const d of SYLLABLES) {
        const parts = [a, b, c, d];
        const breaks = parts.map((part, at) => ({ part, at: at * 2, weight: part.charCodeAt(0) / (at + 1) }));
        hyphenations.set(parts.join(''), { breaks, best: breaks[2] });
      }
