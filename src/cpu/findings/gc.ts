/**
 * Much garbage collection, and who makes the garbage. Services that are well spend 3 to 10 % of their time on it, and up
 * to 20 % where Node itself makes it (headers, buffers); so it is a finding from 13 % on where one function of the
 * application or of a dependency is behind much of it (behind at most 8 % in the healthy programs here), and from 40 % on
 * whoever is. V8 does not say for whom it collects: the function that was running when a collection began is what
 * allocated last, and over many collections that is who allocates most.
 */
import { milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import type { Sight } from './sight.ts';
import { hottestLine } from './sight.ts';

const LEAST_SHARE = 0.13;
const WHOEVER = 0.4;
/** Part of the collections that began while one function itself ran, not what it called. */
const LEAST_SOURCE = 0.4;
/** Enough to be named, where there is a finding anyway. */
const LEAST_NAMED = 0.2;

export const gc: Rule = {
  id: 'gc',
  find: (sight) => {
    const { us, hits } = sumCollections(sight);
    if (!sight.isWorthSaying({ us, hits: Math.floor(hits / 2) }, LEAST_SHARE)) return [];
    const share = sight.share(us);
    const sources = findSources(sight);
    const [first, ...others] = sources;
    const isKnown = first !== undefined && first.us >= LEAST_SOURCE * us;
    if (!isKnown && share < WHOEVER) return [];
    const isNamed = first !== undefined && first.us >= LEAST_NAMED * us;
    const where = isNamed ? sight.place(first.owner, hottestLine(first.lines)) : null;
    return [
      {
        id: 'gc',
        title: where === null ? 'much time goes into garbage collection' : `${nameOf(where)} makes much garbage`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `garbage collection: ${percent(share)} of the time in which the loop was busy (${milliseconds(us)}, ${hits} samples); 3 to 8 % is usual`,
          ...(where === null || first === undefined
            ? []
            : [`${percent(first.us / us)} of that began while ${nameOf(where)} ran`, ...sight.quote(where)]),
          ...others
            .slice(0, 3)
            .filter((one) => one.us >= 0.1 * us)
            .map((one) => `${percent(one.us / us)} began while ${nameOf(sight.place(one.owner))} ran`),
        ],
        remedy: REMEDY,
        expectedGain: {
          from: share * 0.3,
          to: Math.max(0, share - 0.05),
          basis:
            'down to the usual 5 % where the garbage is not made at all; allocating itself, which is not counted here, goes too',
        },
      },
    ];
  },
};

function sumCollections(sight: Sight): { readonly us: number; readonly hits: number } {
  let [us, hits] = [0, 0];
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.functionAt(node).category !== 'gc') continue;
    us += sight.runTime.selfUs[node] as number;
    hits += sight.runTime.hits[node] as number;
  }
  return { us, hits };
}

interface Source {
  readonly owner: number;
  us: number;
  readonly lines: Map<number, number>;
}

const isOwn = (sight: Sight, node: number): boolean =>
  ['application', 'dependency'].includes(sight.functionAt(node).category);

/** The time of each collection, to the function of the sample before it. */
function findSources(sight: Sight): Source[] {
  const { samples, functionOf } = sight.profile;
  const { from, to, weightUs, hits } = sight.runTime;
  const sources = new Map<number, Source>();
  let before = -1;
  for (let sample = from; sample < to; sample += 1) {
    const node = samples.node[sample] as number;
    const { category } = sight.functionAt(node);
    if (category !== 'gc') {
      before = category === 'idle' || category === 'program' ? -1 : node;
      continue;
    }
    if (before === -1 || hits[before] === 0 || !isOwn(sight, before)) continue;
    const owner = functionOf[sight.ownerOf(before)] as number;
    let source = sources.get(owner);
    if (source === undefined) sources.set(owner, (source = { owner, us: 0, lines: new Map() }));
    source.us += weightUs(sample);
    for (const [line, us] of sight.linesOf(before)) source.lines.set(line, (source.lines.get(line) ?? 0) + us);
  }
  return [...sources.values()].sort((a, b) => b.us - a.us);
}

const REMEDY = {
  text: 'Make less: change objects instead of copying them in each step, go through rows once instead of mapping them again and again, join buffers once, keep what is needed again. A bigger young generation (--max-semi-space-size) helps where objects die soon.',
  code: [
    '// instead of rows.map(price).map(tax).reduce(add): one pass and no copies',
    'let sum = 0;',
    'for (const row of rows) sum += row.cents * taxOf(row);',
    '// instead of reduce((all, one) => ({ ...all, [one.id]: one }), {})',
    'const byId = new Map(rows.map((row) => [row.id, row]));',
  ].join('\n'),
};
