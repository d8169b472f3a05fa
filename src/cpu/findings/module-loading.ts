/**
 * Modules that are loaded, and code that is compiled, again and again while the service serves. A module that is loaded
 * when it is first needed is no finding: it must go on over at least four tenths of the run time, and be 5 % of it.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { LOADING } from './run-time.ts';
import { hottestLine, joinSites, type Sight } from './sight.ts';
import { lineAt } from './source.ts';

const LEAST_SHARE = 0.05;
const LEAST_TENTHS = 4;
/** Part of the loading that must be reading, compiling or a module's own code: finding one in the cache is none of these. */
const LEAST_FRESH = 0.1;
const LEAST_FRESH_TENTHS = 3;
const FRESH =
  /^(?:compile\w*|wrapSafe|internalCompileFunction|loadSource|loadAndTranslate|defaultLoad\w*|getSource\w*|readFileSync|readFileUtf8|moduleStrategy|loadCJSModule|ModuleWrap)$/;

export const moduleLoading: Rule = {
  id: 'module-loading',
  find: (sight) => [...findLoading(sight), ...findCompiling(sight)],
};

function findLoading(sight: Sight): Finding[] {
  if (sight.runTime.isScript) return [];
  const { us, hits, nodes } = sumLoading(sight);
  if (!sight.isWorthSaying({ us, hits }, LEAST_SHARE) || countTenths(sight, nodes) < LEAST_TENTHS) return [];
  const fresh = listFresh(sight, nodes);
  // The first time loads; what comes after it must go on loading.
  if (sumUs(sight, fresh) < LEAST_FRESH * us || countTenths(sight, fresh) < LEAST_FRESH_TENTHS) return [];
  const asked = sight.collect((node) =>
    sight.runTime.loading[node] === LOADING.asked
      ? {
          us: sight.runTime.selfUs[node] as number,
          name: sight.functionAt(sight.topOf(node)).name,
          from: sight.topOf(node),
        }
      : null,
  );
  const site = asked[0];
  const share = sight.share(us);
  const where =
    site === undefined ? null : sight.place(site.owner, null, /\brequire\b|\bimport\s*\(|\bcreateRequire\b/);
  return [
    {
      id: 'module-loading',
      title:
        where === null
          ? 'modules are loaded while requests are served'
          : `${nameOf(where)} loads modules while it serves`,
      severity: severityOf(share),
      share,
      where,
      evidence: [
        `loading of modules: ${percent(share)} of the time in which the loop was busy (${milliseconds(us)}, ${hits} samples), the start not counted, over ${countTenths(sight, nodes)} tenths of the time`,
        ...(where === null ? [] : sight.quote(where)),
      ],
      remedy: LOAD,
      expectedGain: { from: share * 0.9, to: share, basis: 'a module that is loaded once costs nothing afterwards' },
    },
  ];
}

function sumLoading(sight: Sight): { readonly us: number; readonly hits: number; readonly nodes: Set<number> } {
  let [us, hits] = [0, 0];
  const nodes = new Set<number>();
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.kindAt(node) !== 'loading' || sight.runTime.hits[node] === 0) continue;
    us += sight.runTime.selfUs[node] as number;
    hits += sight.runTime.hits[node] as number;
    nodes.add(node);
  }
  return { us, hits, nodes };
}

/** Nodes that load something which was not there: they or what is above them say so. */
function listFresh(sight: Sight, nodes: ReadonlySet<number>): ReadonlySet<number> {
  const { parent } = sight.profile;
  const isFresh = (node: number): boolean => {
    for (let at = node; at > 0 && sight.kindAt(at) === 'loading'; at = parent[at] as number)
      if (FRESH.test(sight.functionAt(at).name) || sight.functionAt(at).category === 'application') return true;
    return false;
  };
  return new Set([...nodes].filter((node) => isFresh(node)));
}

const sumUs = (sight: Sight, nodes: ReadonlySet<number>): number =>
  [...nodes].reduce((us, node) => us + (sight.runTime.selfUs[node] as number), 0);

/** In how many tenths of the run time the nodes were seen; all of them where there is no time. */
function countTenths(sight: Sight, nodes: ReadonlySet<number>): number {
  const { samples } = sight.profile;
  const { from, to } = sight.runTime;
  if (to === from) return 10;
  const first = samples.startUs[from] as number;
  const length = (samples.startUs[to - 1] as number) - first + 1;
  const tenths = new Set<number>();
  for (let sample = from; sample < to; sample += 1)
    if (nodes.has(samples.node[sample] as number))
      tenths.add(Math.floor((((samples.startUs[sample] as number) - first) / length) * 10));
  return tenths.size;
}

/** `new Function`, `eval` and scripts of node:vm, at least once in a while. */
function findCompiling(sight: Sight): Finding[] {
  // V8 gives what `eval` compiles to the position before it, which may be the line before.
  const byLine = sight.collectLines((text, node, line) =>
    COMPILES.test(text) || EVALUATES.test(sight.lineText(node, line + 1) ?? '') ? 'new Function' : null,
  );
  return joinSites(sight.collectKind('compiling'), byLine)
    .filter((site) => sight.isWorthSaying(site, LEAST_SHARE) && countTenths(sight, site.nodes) >= LEAST_TENTHS)
    .slice(0, 1)
    .map((site) => {
      const share = sight.share(site.us);
      const hottest = hottestLine(site.lines);
      const isBefore = hottest !== null && isLineBefore(sight, site.owner, hottest);
      const where = sight.place(site.owner, isBefore ? hottest + 1 : hottest, COMPILES);
      return {
        id: 'module-loading',
        title: `${nameOf(where)} compiles code while it serves`,
        severity: severityOf(share),
        share,
        where,
        evidence: [
          `compilation: ${percent(share)} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples)`,
          ...sight.quote(where),
        ],
        remedy: COMPILE,
        expectedGain: {
          from: share * 0.9,
          to: Math.min(1, share * 1.5),
          basis: 'what is compiled once costs nothing afterwards, and is optimised, which code that runs once never is',
        },
      };
    });
}

const COMPILES = /\bnew\s+(?:vm\.)?(?:Script|Function)\b|\beval\s*\(|\brunIn(?:This|New)?Context\b|\bcompileFunction\b/;

const isLineBefore = (sight: Sight, owner: number, line: number): boolean => {
  const { url } = sight.place(owner);
  return (
    !COMPILES.test(lineAt(sight.source, url, line) ?? '') && EVALUATES.test(lineAt(sight.source, url, line + 1) ?? '')
  );
};

const EVALUATES = /\beval\s*\(/;

const LOAD = {
  text: 'Load at the top of the module, or once at the first use and keep it. A changed file is a reason for a reload of the service, not for reading it with every request.',
  code: [
    "const rules = require('./rules.cjs'); // at the top",
    "const texts = await (loaded ??= import('./texts.mjs')); // at the first use",
  ].join('\n'),
};

const COMPILE = {
  text: 'Compile each text once and keep the function by its text; bound how many are kept.',
  code: [
    'const compiled = new Map();',
    'const compile = (text) => {',
    '  let render = compiled.get(text);',
    "  if (render === undefined) compiled.set(text, (render = new Function('values', text)));",
    '  return render;',
    '};',
  ].join('\n'),
};
