/** Compression that holds the loop: the `…Sync` functions of zlib, from 5 % of the busy time on. The streams and the forms with callbacks work in the thread pool. */
import { milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { describeParts } from './sight.ts';

const LEAST_SHARE = 0.05;

export const syncCompression: Rule = {
  id: 'sync-compression',
  find: (sight) =>
    sight.pick(sight.collectKind('compression'), LEAST_SHARE).map(({ site }) => {
      const share = sight.share(site.us);
      const where = sight.place(site.owner, null, /\w*(?:zip|flate|Compress|Decompress)\w*Sync\b/i);
      const runs = sight.runsOf(site.nodes);
      return {
        id: 'sync-compression',
        title: `${nameOf(where)} compresses or decompresses on the event loop`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `${describeParts(site.by)}: ${percent(share)} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples), called from ${nameOf(where)}`,
          ...sight.quote(where),
          ...(runs.count === 0 ? [] : [`nothing else ran for ${milliseconds(runs.longestUs)} at the longest`]),
        ],
        remedy: REMEDY,
        expectedGain: {
          from: share * 0.8,
          to: share,
          basis: 'the thread pool compresses; all of it where the compressed form is kept or a proxy does it',
        },
      };
    }),
};

const REMEDY = {
  text: 'Compress what does not change once; for the rest use the form with a callback or a stream, which work in the thread pool, or let the proxy in front compress.',
  code: [
    "import { gzip } from 'node:zlib';",
    "import { promisify } from 'node:util';",
    'const compressed = await promisify(gzip)(body);',
  ].join('\n'),
};
