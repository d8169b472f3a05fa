/**
 * JSON that is much or big. V8 gives `JSON.parse` and `JSON.stringify` no frame: their time is self time of the caller on
 * the line that calls them, so this needs the source (or a profile from perf, which names the builtins). A finding from
 * 10 % of the busy time on where one call is long (3 ms and several samples in a row), and from 30 % on however short they
 * are: an API of small bodies spends 5 to 10 % on JSON, which is its job.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { OUTPUT } from './logging.ts';
import { describeParts, hottestLine, joinSites, type Sight, type Site } from './sight.ts';

const LEAST_SHARE = 0.1;
const LONG_US = 3000;
const WHATEVER_LENGTH = 0.3;

const CALL = /\bJSON\s*\.\s*(parse|stringify)\b/;
/** Node's own functions that do nothing else: the body of `fetch` and of web streams. */
const NODE_CALL = /^(?:parseJSONFromBytes|jsonParse|JSON\.parse|JSON\.stringify)$/;

export const json: Rule = {
  id: 'json',
  find: (sight) =>
    sight
      .pick(joinSites(findByLine(sight), findByName(sight)), LEAST_SHARE)
      .filter(({ site }) => isMuch(sight, site))
      .map(({ site }) => describe(sight, site)),
};

const findByLine = (sight: Sight): Site[] =>
  sight.collectLines((text) => {
    const call = CALL.exec(text)?.[1];
    if (call === undefined || OUTPUT.test(text)) return null;
    return /JSON\s*\.\s*parse\s*\(\s*JSON\s*\.\s*stringify/.test(text) ? 'a copy by way of JSON' : `JSON.${call}`;
  });

const findByName = (sight: Sight): Site[] =>
  sight.collect((node) => {
    const { name, category } = sight.functionAt(node);
    if (category !== 'json' && !NODE_CALL.test(name)) return null;
    return {
      us: sight.runTime.selfUs[node] as number,
      name: name.replace(/^parseJSONFromBytes$/, 'JSON.parse'),
      from: node,
    };
  });

function isMuch(sight: Sight, site: Site): boolean {
  if (sight.share(site.us) >= WHATEVER_LENGTH) return true;
  return sight.isLong(site.nodes, LONG_US);
}

function describe(sight: Sight, site: Site): Finding {
  const share = sight.share(site.us);
  const where = sight.place(site.owner, hottestLine(site.lines), CALL);
  const isCopy = site.by.has('a copy by way of JSON');
  const runs = sight.runsOf(site.nodes);
  return {
    id: 'json',
    title: isCopy ? `${nameOf(where)} copies by way of JSON` : `${nameOf(where)} spends its time in JSON`,
    severity: severityOf(share),
    share,
    where,
    evidence: [
      `${describeParts(site.by)}: ${percent(share)} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples)`,
      ...sight.quote(where),
      ...(runs.count === 0
        ? []
        : [`${milliseconds(runs.typicalUs)} in a row as a rule, ${milliseconds(runs.longestUs)} at the longest`]),
      ...(site.lines.size > 0 ? ['V8 has no frame for JSON: the time is that of the samples on this line'] : []),
    ],
    remedy: isCopy ? COPY : TEXT,
    expectedGain: isCopy
      ? {
          from: share * 0.5,
          to: share,
          basis: 'structuredClone costs about as much: the gain is in copying less, or nothing',
        }
      : {
          from: share * 0.5,
          to: share,
          basis: 'half where less is sent or a serializer by schema is used, all of it where the text is kept',
        },
  };
}

const COPY = {
  text: 'Copy what will be changed and share the rest: a spread of the level that changes, or no copy where nothing writes.',
  code: ['const settings = { ...SETTINGS, user }; // the big part is shared, and frozen where that must be sure'].join(
    '\n',
  ),
};

const TEXT = {
  text: 'Parse and write less: keep the object rather than its text, keep the text of what does not change, send pages instead of everything, limit the size of bodies, and leave what must be big to a worker thread. A serializer by schema (fast-json-stringify) helps where answers are many and alike.',
  code: [
    'let text = null; // forgotten when the catalogue changes',
    'const catalogueAsText = () => (text ??= JSON.stringify(catalogue));',
    "app.use(express.json({ limit: '100kb' }));",
  ].join('\n'),
};
