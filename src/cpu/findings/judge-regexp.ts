/** Whether a regular expression backtracks, by scslre (docs/decisions/scslre.md). Loaded only where a profile has some. */
import { analyse } from 'scslre';
import type { RegExpVerdict } from './regexp.ts';

/** Longer ones are generated; their automata may take minutes. */
const LONGEST_SOURCE = 1000;

/** Null where it is linear, or cannot be read or judged. V8 names expressions without their flags, so some are tried. */
export function judgeRegExp(source: string, flags: string): RegExpVerdict | null {
  if (source.length > LONGEST_SOURCE) return null;
  for (const tried of [flags, 'u', 'v']) {
    try {
      const { reports } = analyse({ source, flags: tried }, { maxReports: 4 });
      const worst = reports.find(({ exponential }) => exponential) ?? reports[0];
      if (worst === undefined) return null;
      const fixed = worst.fix();
      return {
        growth: worst.exponential ? 'exponential' : 'polynomial',
        example: JSON.stringify(worst.character.pick),
        rewritten: fixed === undefined ? null : `/${fixed.source}/${fixed.flags}`,
      };
    } catch {
      // Not of these flags, or beyond the analysis.
    }
  }
  return null;
}
