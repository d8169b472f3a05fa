/**
 * Lists that are searched from the front for each item. The methods of lists have no frame of their own: their time is
 * that of the line that calls them, and of the function they are given. A finding from 20 % of the busy time on.
 */
import { milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { hottestLine, joinSites, type Sight, type Site } from './sight.ts';

const LEAST_SHARE = 0.2;
/** `indexOf` and `includes` of a literal are searches in texts nearly always. */
const SEARCH = /\.(find|findIndex|findLast|findLastIndex|some|indexOf|lastIndexOf|includes)\s*\((?!\s*['"`/])/;

export const linearSearch: Rule = {
  id: 'linear-search',
  find: (sight) =>
    sight.pick(findSearches(sight), LEAST_SHARE).map(({ site }) => {
      const share = sight.share(site.us);
      const where = sight.place(site.owner, hottestLine(site.lines), SEARCH);
      const [method = 'find'] = [...site.by].sort(([, a], [, b]) => b - a)[0] ?? [];
      return {
        id: 'linear-search',
        title: `${nameOf(where)} searches a list from the front (${method})`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `${method}: ${percent(share)} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples)`,
          ...sight.quote(where),
        ],
        remedy: REMEDY,
        expectedGain: {
          from: share * 0.8,
          to: share,
          basis: 'a look into a Map or Set takes the same time however many there are',
        },
      };
    }),
};

const searchIn = (text: string): string | null => SEARCH.exec(text)?.[1] ?? null;

/** By line; all of a function that begins where `find` is called is what `find` was given. */
function findSearches(sight: Sight): Site[] {
  const byLine = sight.collectLines((text, node) => (isGiven(sight, node) === null ? searchIn(text) : null));
  const given = sight.collect((node) => {
    const method = sight.kindAt(node) === 'none' ? isGiven(sight, node) : null;
    return method === null ? null : { us: sight.runTime.selfUs[node] as number, name: method, from: node };
  });
  return joinSites(byLine, given);
}

/** The method that a function without a name is given to: the one on the line where it begins, called by its own file. */
function isGiven(sight: Sight, node: number): string | null {
  const one = sight.functionAt(node);
  if (one.name !== '(anonymous)' || one.line === 0) return null;
  const caller = sight.functionAt(sight.profile.parent[node] as number);
  return caller.url === one.url ? searchIn(sight.lineText(node, one.line) ?? '') : null;
}

const REMEDY = {
  text: 'Index the list by what is searched for: a Map made once (and kept in step), or a Set where only being there matters.',
  code: [
    'const bySku = new Map(catalogue.map((product) => [product.sku, product])); // once',
    'const product = bySku.get(sku);',
  ].join('\n'),
};
