/**
 * Regular expressions that backtrack: slow by the way they are written, not by how much text they read. Both must be true:
 * the analysis says that the time grows faster than the text (exponentially, or as a power of its length), and the
 * profile says that time was spent. V8 names compiled expressions; what it still interprets is time of the caller, on the
 * line that uses the expression.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { lineAt } from './source.ts';
import type { Sight } from './sight.ts';

export interface RegExpVerdict {
  readonly growth: 'exponential' | 'polynomial';
  /** A character, or several, of which a long run shows it. */
  readonly example: string;
  /** An expression that matches the same and does not backtrack, where one was found. */
  readonly rewritten: string | null;
}

/** Null for an expression that is linear, or that cannot be judged. */
export type RegExpJudge = (source: string, flags: string) => RegExpVerdict | null;

/** An expression that can explode is a finding early; one that is a power of the length must have done harm. */
const LEAST_EXPONENTIAL = 0.05;
const LEAST_POLYNOMIAL = 0.1;
const LONG_US = 5000;
const WHATEVER_LENGTH = 0.3;
/** One text that takes so long is enough: the next may take for ever. */
const ONCE_US = 100_000;

interface Use {
  readonly owner: number;
  readonly source: string;
  readonly verdict: RegExpVerdict;
  us: number;
  hits: number;
  hotLine: number | null;
  readonly nodes: Set<number>;
}

export const regexp = (judge: RegExpJudge): Rule => ({
  id: 'regexp',
  find: (sight) =>
    findUses(sight, judge)
      .filter((use) => isHarm(sight, use))
      .map((use) => describe(sight, use)),
});

function isHarm(sight: Sight, use: Use): boolean {
  if (!sight.isRecurring(use.nodes) && sight.runsOf(use.nodes).longestUs < ONCE_US) return false;
  if (use.verdict.growth === 'exponential') return sight.isWorthSaying(use, LEAST_EXPONENTIAL);
  if (!sight.isWorthSaying(use, LEAST_POLYNOMIAL)) return false;
  return sight.share(use.us) >= WHATEVER_LENGTH || sight.isLong(use.nodes, LONG_US);
}

const USES = /\.(?:test|exec|match|matchAll|replace|replaceAll|split|search)\s*\(/;

function findUses(sight: Sight, judge: RegExpJudge): Use[] {
  const uses = new Map<string, Use>();
  const verdicts = new Map<string, RegExpVerdict | null>();
  const judged = (source: string, flags: string): RegExpVerdict | null => {
    const known = verdicts.get(source);
    if (known !== undefined) return known;
    const verdict = judge(source, flags);
    verdicts.set(source, verdict);
    return verdict;
  };
  const add = (node: number, source: string, verdict: RegExpVerdict, us: number, line: number | null): void => {
    const ownerNode = sight.ownerOf(node);
    if (ownerNode === -1) return;
    const owner = sight.profile.functionOf[ownerNode] as number;
    const key = `${owner} ${source}`;
    let use = uses.get(key);
    if (use === undefined)
      uses.set(key, (use = { owner, source, verdict, us: 0, hits: 0, hotLine: null, nodes: new Set() }));
    const { selfUs, hits } = sight.runTime;
    use.us += us;
    use.hits += ((hits[node] as number) * us) / (selfUs[node] as number);
    use.hotLine ??= line;
    use.nodes.add(node);
  };
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    const us = sight.runTime.selfUs[node] as number;
    const { name, url } = sight.functionAt(node);
    if (us === 0) continue;
    const source = url === '' && name.startsWith('RegExp: ') ? name.slice('RegExp: '.length) : null;
    if (source !== null) {
      const verdict = judged(source, '');
      if (verdict !== null) add(node, source, verdict, us, null);
      continue;
    }
    if (sight.kindAt(node) !== 'none') continue;
    for (const [line, lineUs] of sight.linesOf(node)) {
      const text = sight.lineText(node, line);
      if (text === null || !USES.test(text) || lineUs === 0) continue;
      for (const { source: literal, flags } of findExpressions(sight, url, text)) {
        const verdict = judged(literal, flags);
        if (verdict === null) continue;
        add(node, literal, verdict, lineUs, line);
        break;
      }
    }
  }
  return [...uses.values()].sort((a, b) => b.us - a.us);
}

const LITERAL = /\/(?![*/])((?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+)\/([a-z]*)/g;

/** Literals on the line, and those that names on it were given anywhere in the file. */
function findExpressions(
  sight: Sight,
  url: string,
  text: string,
): { readonly source: string; readonly flags: string }[] {
  const found = [...text.matchAll(LITERAL)].map(([, source = '', flags = '']) => ({ source, flags }));
  const names = [...text.matchAll(/\b([A-Za-z_$][\w$]*)\s*\.\s*(?:test|exec)\s*\(|\(\s*([A-Za-z_$][\w$]*)\s*[,)]/g)]
    .map(([, receiver, argument]) => receiver ?? argument)
    .filter((name) => name !== undefined);
  if (names.length === 0) return found;
  const declared = new RegExp(`\\b(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})\\s*[=:]\\s*(?=/)`);
  for (const line of sight.source(url) ?? [])
    if (line.length < 2000 && declared.test(line))
      found.push(...[...line.matchAll(LITERAL)].map(([, source = '', flags = '']) => ({ source, flags })));
  return found;
}

function describe(sight: Sight, use: Use): Finding {
  const { verdict, source } = use;
  const share = sight.share(use.us);
  const where = sight.place(use.owner, use.hotLine, USES);
  const { typicalUs, longestUs, count } = sight.runsOf(use.nodes);
  const shown = source.length > 120 ? `${source.slice(0, 117)}…` : source;
  return {
    id: 'regexp',
    title: `a regular expression of ${nameOf(where)} backtracks: /${shown}/`,
    severity: verdict.growth === 'exponential' ? 'high' : severityOf(share),
    share,
    where,
    evidence: [
      `/${shown}/: ${percent(share)} of the time in which the loop was busy (${milliseconds(use.us)}, ${Math.round(use.hits)} samples)`,
      verdict.growth === 'exponential'
        ? `its time can double with each character: a text with many of ${verdict.example} and no match shows it`
        : `its time grows as a power of the length: a text with many of ${verdict.example} and no match shows it`,
      ...(lineAt(sight.source, where.url, where.hotLine ?? 0) === null ? [] : sight.quote(where)),
      ...(count === 0
        ? []
        : [`${milliseconds(typicalUs)} in a row as a rule, ${milliseconds(longestUs)} at the longest`]),
    ],
    remedy: {
      text: 'Write it so that there is one way to match: no repeated group whose parts can match the same text, no two repeats beside each other that overlap, an anchor where there is one. Or use a function made for it (trimEnd, split, a parser), and limit the length of what comes from outside. RE2 (npm re2) never backtracks.',
      code:
        verdict.rewritten === null
          ? [
              'if (text.length > 254) return false; // before any expression sees it',
              '/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/ // one separator between words, not an optional one after each',
            ].join('\n')
          : `${verdict.rewritten} // matches the same, without backtracking`,
    },
    expectedGain: {
      from: share * 0.9,
      to: share,
      basis: 'an expression without backtracking reads each character once',
    },
  };
}
