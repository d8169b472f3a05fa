/**
 * Stacks that are captured, formatted or mapped back to their source too often. Formatting has frames; capturing has none,
 * so lines with `new Error`, `captureStackTrace` and `.stack` are read in the source. A finding from 10 % of the busy time
 * on: errors that are seldom never come near that.
 */
import { milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { describeParts, hottestLine, joinSites } from './sight.ts';

const LEAST_SHARE = 0.1;
const LINE =
  /\bnew\s+[A-Z]\w*Error\s*\(|\bnew\s+Error\s*\(|\bcaptureStackTrace\b|\.stack\b|\bgetCallSites?\b|^throw new /;

export const stackTraces: Rule = {
  id: 'stack-traces',
  find: (sight) => {
    const byLine = sight.collectLines((text) => (LINE.test(text) ? 'capturing' : null));
    const all = joinSites(sight.collectKind('stack'), byLine);
    const us = all.reduce((sum, site) => sum + site.us, 0);
    const hits = all.reduce((sum, site) => sum + site.hits, 0);
    const [first, ...rest] = all;
    // One error is captured in one function and formatted in another: together they are what stacks cost.
    if (first === undefined || !sight.isWorthSaying({ us, hits }, LEAST_SHARE)) return [];
    if (!sight.isRecurring(new Set(all.flatMap(({ nodes }) => [...nodes])))) return [];
    const share = sight.share(us);
    const where = sight.place(first.owner, hottestLine(first.lines), LINE);
    return [
      {
        id: 'stack-traces',
        title: `${nameOf(where)} makes many stack traces`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `stack traces: ${percent(share)} of the time in which the loop was busy (${milliseconds(us)}, ${Math.round(hits)} samples), ${percent(first.us / us)} of it in ${nameOf(where)} (${describeParts(first.by)})`,
          ...sight.quote(where),
          ...rest
            .slice(0, 3)
            .filter((site) => site.us >= 0.1 * us)
            .map(
              (site) => `${percent(site.us / us)} in ${nameOf(sight.place(site.owner))} (${describeParts(site.by)})`,
            ),
        ],
        remedy: REMEDY,
        expectedGain: {
          from: share * 0.7,
          to: share,
          basis: 'a value in place of an error has no stack; where errors stay, fewer frames cost less',
        },
      },
    ];
  },
};

const REMEDY = {
  text: 'Answer what is expected with a value, not with an error; do not read `.stack` to find out who called; keep Error.stackTraceLimit at 10 or below; switch source maps (--enable-source-maps, source-map-support) off where errors are part of normal work.',
  code: [
    'const found = find(key); // undefined where there is none',
    'if (found === undefined) return response.sendStatus(404);',
    'class Expected extends Error {} // where it must be one: made without a stack',
    'const limit = Error.stackTraceLimit; Error.stackTraceLimit = 0; // … and set back',
  ].join('\n'),
};
