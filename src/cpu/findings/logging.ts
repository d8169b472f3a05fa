/**
 * Logging that costs as much as the work: `console`, writes to stdout and stderr, and loggers that format and write on the
 * loop. Output to files and pipes is synchronous in Node. From 12 % of the busy time on: a line per request costs 10 to
 * 20 µs, which is little beside a request that does something.
 */
import { milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { describeParts, hottestLine, joinSites } from './sight.ts';

const LEAST_SHARE = 0.12;

/** A line that prints: what it costs to make the text is self time of who calls, and a part of logging. */
export const OUTPUT = /\bconsole\s*\.\s*\w+\s*\(|\bstd(?:out|err)\b[\w.]*\.write\s*\(/;

export const logging: Rule = {
  id: 'logging',
  find: (sight) => {
    const byLine = sight.collectLines((text) => (OUTPUT.test(text) ? 'making the text' : null));
    const sites = joinSites(sight.collectKind('logging'), byLine);
    return sight.pick(sites, LEAST_SHARE).map(({ site, rest }) => {
      const share = sight.share(site.us + rest.reduce((sum, one) => sum + one.us, 0));
      const where = sight.place(
        site.owner,
        hottestLine(site.lines),
        /\bconsole\.\w+\(|\bstd(?:out|err)\b|\blog(?:ger)?\.\w+\(/,
      );
      return {
        id: 'logging',
        title: `${nameOf(where)} logs on the hot path`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `logging: ${percent(share)} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples): ${describeParts(site.by)}`,
          ...sight.quote(where),
          ...rest.slice(0, 4).map((one) => `also ${nameOf(sight.place(one.owner))}: ${percent(sight.share(one.us))}`),
        ],
        remedy: REMEDY,
        expectedGain: {
          from: share * 0.5,
          to: share,
          basis: 'half where lines are kept and written in batches, all of it where they are not written',
        },
      };
    });
  },
};

const REMEDY = {
  text: 'Log one line for what happened, not one for each step; leave debugging lines behind a level that is checked before anything is formatted; use a logger that buffers (pino with `sync: false`), since writes to files and pipes hold the loop.',
  code: [
    "import pino from 'pino';",
    "const log = pino({ level: 'info' }, pino.destination({ sync: false, minLength: 4096 }));",
    "log.debug({ item }, 'priced'); // costs next to nothing while the level is info",
  ].join('\n'),
};
