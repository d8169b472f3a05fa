/**
 * What a rule looks at: the profile, its run time, what each node works for, V8's log and the source where they are there;
 * and the questions that rules share: whose node is it, on which lines was it found, how long did it run in a row.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import type { Finding, Place } from './finding.ts';
import { MOST_PLACES } from './finding.ts';
import { KINDS, type Kind, markKinds } from './kinds.ts';
import { findRunTime, type RunTime } from './run-time.ts';
import { findLine, lineAt, type SourceLookup } from './source.ts';

/** Fewer samples than this are an accident, whatever part of a short profile they are. */
const FEWEST_HITS = 8;
/** What is a smaller part of all time, waiting included, is not worth anybody's work. */
export const LEAST_OF_WALL = 0.01;

/** Samples in a row of which it is sure that they were not one short call each. */
const SEVERAL = 3;
/** Samples of the same work that lie nearer than this are one stretch of it. */
const STRETCH_GAP_US = 20_000;
/** One stretch that is so much of the run time is many short calls, or as bad. */
const WHOLE = 0.7;

/** The same work behind one function of the application. */
export interface Site {
  /** Index of the function that is behind it. */
  readonly owner: number;
  us: number;
  hits: number;
  /** By name of what was called, most time first once finished. */
  readonly by: Map<string, number>;
  /** Line in the owner's file, to microseconds. */
  readonly lines: Map<number, number>;
  readonly nodes: Set<number>;
}

export interface Runs {
  readonly count: number;
  /** Microseconds: half of the time was in runs at least this long. */
  readonly typicalUs: number;
  /** The same in samples. */
  readonly typicalHits: number;
  readonly longestUs: number;
}

export class Sight {
  readonly profile: CpuProfile;
  readonly runTime: RunTime;
  readonly source: SourceLookup;
  readonly #kind: Uint8Array;
  readonly #top: Int32Array;
  readonly #owner: Int32Array;
  #ticks: Map<number, Map<number, number>> | null = null;

  constructor(profile: CpuProfile, source: SourceLookup) {
    this.profile = profile;
    this.source = source;
    this.runTime = findRunTime(profile);
    this.#owner = this.#findOwners();
    const { kind, top } = markKinds(profile, this.runTime.loading, (node) => this.#isOutput(node));
    this.#kind = kind;
    this.#top = top;
  }

  functionAt(node: number): CpuFunction {
    return this.profile.functions[this.profile.functionOf[node] as number] as CpuFunction;
  }

  kindAt(node: number): Kind {
    return KINDS[this.#kind[node] as number] as Kind;
  }

  /** The outermost node of the same kind above this one, or itself. */
  topOf(node: number): number {
    return this.#top[node] as number;
  }

  /**
   * The nearest node of the application at or above this one, else of a dependency, else −1. A callback without a name is
   * part of the function that hands it over.
   */
  ownerOf(node: number): number {
    return this.#owner[node] as number;
  }

  /** The part of the busy time that this is. */
  share(us: number): number {
    return this.runTime.busyUs === 0 ? 0 : us / this.runTime.busyUs;
  }

  /** Enough samples, and enough of all time, to be worth saying. */
  isWorthSaying({ us, hits }: { readonly us: number; readonly hits: number }, leastShare: number): boolean {
    const { wallUs } = this.runTime;
    return hits >= FEWEST_HITS && this.share(us) >= leastShare && us >= LEAST_OF_WALL * wallUs;
  }

  /** Microseconds of a node by the line they were found on; empty where the format has no lines. */
  linesOf(node: number): ReadonlyMap<number, number> {
    this.#ticks ??= this.#readTicks();
    return this.#ticks.get(node) ?? new Map<number, number>();
  }

  lineText(node: number, line: number): string | null {
    return lineAt(this.source, this.functionAt(node).url, line);
  }

  /** Collects by owner the time of all nodes for which `claim` gives microseconds and a name. */
  collect(
    claim: (node: number) => { readonly us: number; readonly name: string; readonly from: number } | null,
  ): Site[] {
    const sites = new Map<number, Site>();
    const { selfUs, hits } = this.runTime;
    for (let node = 1; node < this.profile.nodeCount; node += 1) {
      if (selfUs[node] === 0) continue;
      const claimed = claim(node);
      if (claimed === null || claimed.us <= 0) continue;
      const ownerNode = this.ownerOf(claimed.from);
      const owner = this.profile.functionOf[ownerNode === -1 ? claimed.from : ownerNode] as number;
      let site = sites.get(owner);
      if (site === undefined)
        sites.set(owner, (site = { owner, us: 0, hits: 0, by: new Map(), lines: new Map(), nodes: new Set() }));
      site.us += claimed.us;
      site.hits += ((hits[node] as number) * claimed.us) / (selfUs[node] as number);
      site.by.set(claimed.name, (site.by.get(claimed.name) ?? 0) + claimed.us);
      site.nodes.add(node);
    }
    return [...sites.values()].sort((a, b) => b.us - a.us);
  }

  /** All self time of one kind by owner, named after the function that was called; `accepts` looks at the node of that. */
  collectKind(kind: Kind, accepts: (top: number) => boolean = () => true): Site[] {
    const index = KINDS.indexOf(kind);
    return this.collect((node) => {
      const top = this.topOf(node);
      if (this.#kind[node] !== index || !accepts(top)) return null;
      return { us: this.runTime.selfUs[node] as number, name: this.functionAt(top).name, from: top };
    });
  }

  /**
   * Self time of functions with lines, where the line matches: the share of a node's samples that fell on such lines. Only
   * nodes that work for nothing else. The lines are remembered in the site.
   */
  collectLines(matches: (text: string, node: number, line: number) => string | null): Site[] {
    const lines = new Map<number, Map<number, number>>();
    const sites = this.collect((node) => {
      if (this.#kind[node] !== 0 || this.functionAt(node).line === 0) return null;
      let us = 0;
      let name = '';
      for (const [line, lineUs] of this.linesOf(node)) {
        const text = this.lineText(node, line);
        const found = text === null ? null : matches(text, node, line);
        if (found === null) continue;
        us += lineUs;
        name = found;
        const owner = this.profile.functionOf[this.ownerOf(node)] as number;
        if (this.profile.functions[owner]?.url !== this.functionAt(node).url) continue;
        const known = lines.get(owner) ?? new Map<number, number>();
        known.set(line, (known.get(line) ?? 0) + lineUs);
        lines.set(owner, known);
      }
      return us === 0 ? null : { us, name, from: node };
    });
    for (const site of sites) for (const [line, us] of lines.get(site.owner) ?? []) site.lines.set(line, us);
    return sites;
  }

  /** How long the nodes ran without anything else in between; the garbage collector does not interrupt. */
  runsOf(nodes: ReadonlySet<number>): Runs {
    return this.measureRuns((node) => (nodes.has(node) ? 0 : -1));
  }

  /**
   * Whether single calls are long: half of the time in runs of at least `us`, and of several samples, since one sample may
   * stand for many short calls.
   */
  isLong(nodes: ReadonlySet<number>, us: number): boolean {
    const { typicalUs, typicalHits } = this.runsOf(nodes);
    return typicalUs >= us && typicalHits >= SEVERAL;
  }

  /**
   * Whether it came back: what happens once, at a first use, is not worth a change. One stretch of time with the work in it
   * and none in the rest is once. True where the format has no time.
   */
  isRecurring(nodes: ReadonlySet<number>): boolean {
    const { isChronological, samples } = this.profile;
    if (!isChronological) return true;
    const { from, to } = this.runTime;
    const startOf = (sample: number): number => samples.startUs[sample] as number;
    let [firstUs, endUs] = [-1, -1];
    for (let sample = from; sample < to; sample += 1) {
      if (!nodes.has(samples.node[sample] as number)) continue;
      const startUs = startOf(sample);
      if (firstUs === -1) firstUs = startUs;
      else if (startUs - endUs > STRETCH_GAP_US) return true;
      endUs = startUs + (samples.durationUs[sample] as number);
    }
    return firstUs !== -1 && endUs - firstUs >= WHOLE * (startOf(to - 1) - startOf(from));
  }

  /** Runs of samples with the same key; −1 is no key. */
  measureRuns(keyOf: (node: number) => number): Runs {
    const { samples } = this.profile;
    const { from, to, weightUs } = this.runTime;
    const runs: { us: number; hits: number }[] = [];
    let current = { us: 0, hits: 0 };
    let key = -1;
    const end = (): void => {
      if (key !== -1) runs.push(current);
      current = { us: 0, hits: 0 };
    };
    for (let sample = from; sample < to; sample += 1) {
      const node = samples.node[sample] as number;
      if (this.functionAt(node).category === 'gc') continue;
      const next = keyOf(node);
      if (next !== key) {
        end();
        key = next;
      }
      if (next === -1) continue;
      current.us += weightUs(sample);
      current.hits += 1;
    }
    end();
    const allUs = runs.reduce((sum, { us }) => sum + us, 0);
    const typical = (by: 'us' | 'hits'): number => {
      let sum = 0;
      return runs.sort((a, b) => b[by] - a[by]).find(({ us }) => (sum += us) >= allUs / 2)?.[by] ?? 0;
    };
    const typicalHits = typical('hits');
    const typicalUs = typical('us');
    return { count: runs.length, typicalUs, typicalHits, longestUs: runs[0]?.us ?? 0 };
  }

  /** A function as a place; `pattern` is looked for in its source, where no line is known. */
  place(owner: number, hotLine: number | null = null, pattern: RegExp | null = null): Place {
    const own = this.profile.functions[owner] as CpuFunction;
    const known =
      hotLine ?? (pattern === null ? null : (findLine(this.source, own.url, own.line, pattern)?.line ?? null));
    // What V8 inlined counts as its caller's own time, at the lines where it is written.
    const isInlined = known !== null && known < own.line;
    const { name, url, line } = (isInlined ? this.#functionBefore(own.url, known) : undefined) ?? own;
    return { name, url, line, hotLine: known };
  }

  /** The function with a name that begins last before a line of a file, or on it: the line is its own, as a rule. */
  #functionBefore(url: string, line: number): CpuFunction | undefined {
    return this.profile.functions
      .filter((one) => one.url === url && one.name !== '(anonymous)' && one.line > 0 && one.line <= line)
      .reduce<CpuFunction | undefined>(
        (last, one) => (last === undefined || one.line > last.line ? one : last),
        undefined,
      );
  }

  /** What the line of a place says, as evidence; empty where the source is not there. */
  quote({ url, hotLine }: Place): string[] {
    const text = hotLine === null ? null : lineAt(this.source, url, hotLine);
    return text === null ? [] : [`line ${hotLine}: \`${text}\``];
  }

  /** The sites that are worth saying, or the biggest with all of them where only their sum is. */
  pick(sites: readonly Site[], leastShare: number): { readonly site: Site; readonly rest: readonly Site[] }[] {
    const worth = sites.filter((site) => this.isWorthSaying(site, leastShare) && this.isRecurring(site.nodes));
    if (worth.length > 0)
      return worth
        .slice(0, MOST_PLACES)
        .map((site, at) => ({ site, rest: at === MOST_PLACES - 1 ? worth.slice(MOST_PLACES) : [] }));
    const us = sites.reduce((sum, site) => sum + site.us, 0);
    const hits = sites.reduce((sum, site) => sum + site.hits, 0);
    const [site, ...rest] = sites;
    return site !== undefined &&
      this.isWorthSaying({ us, hits }, leastShare * 2) &&
      this.isRecurring(new Set(sites.flatMap(({ nodes }) => [...nodes])))
      ? [{ site, rest }]
      : [];
  }

  /** A function without a name, called by the application in the same file: what `map` is given is part of who maps. */
  #isCallback(node: number, above: number): boolean {
    const [one, caller] = [this.functionAt(node), this.functionAt(above)];
    return one.name === '(anonymous)' && caller.category === 'application' && caller.url === one.url;
  }

  #findOwners(): Int32Array {
    const { nodeCount, parent } = this.profile;
    const application = new Int32Array(nodeCount).fill(-1);
    const dependency = new Int32Array(nodeCount).fill(-1);
    for (let node = 1; node < nodeCount; node += 1) {
      const above = parent[node] as number;
      const { category } = this.functionAt(node);
      application[node] =
        category === 'application' && !this.#isCallback(node, above) ? node : (application[above] as number);
      dependency[node] = category === 'dependency' ? node : (dependency[above] as number);
    }
    return application.map((node, at) => (node === -1 ? (dependency[at] as number) : node));
  }

  /** A write that a function makes which says in its source that it writes to stdout or stderr. */
  #isOutput(node: number): boolean {
    const one = this.functionAt(node);
    if (one.name !== 'Writable.write' || one.url !== 'node:internal/streams/writable') return false;
    const caller = this.functionAt(this.profile.parent[node] as number);
    return findLine(this.source, caller.url, caller.line, /\bstd(?:out|err)\b[\w.]*\.write\(/) !== null;
  }

  #readTicks(): Map<number, Map<number, number>> {
    const { lineTicks } = this.profile;
    const byNode = new Map<number, Map<number, number>>();
    for (let row = 0; row < lineTicks.count; row += 1) {
      const node = lineTicks.node[row] as number;
      const lines = byNode.get(node) ?? new Map<number, number>();
      const line = lineTicks.line[row] as number;
      lines.set(line, (lines.get(line) ?? 0) + (lineTicks.ticks[row] as number));
      byNode.set(node, lines);
    }
    for (const [node, lines] of byNode) {
      const all = [...lines.values()].reduce((sum, ticks) => sum + ticks, 0);
      for (const [line, ticks] of lines) lines.set(line, ((this.runTime.selfUs[node] as number) * ticks) / all);
    }
    return byNode;
  }
}

/** Sites of the same owner become one, most time first. */
export function joinSites(...lists: readonly (readonly Site[])[]): Site[] {
  const byOwner = new Map<number, Site>();
  for (const site of lists.flat()) {
    const known = byOwner.get(site.owner);
    if (known === undefined) {
      byOwner.set(site.owner, site);
      continue;
    }
    known.us += site.us;
    known.hits += site.hits;
    for (const [name, us] of site.by) known.by.set(name, (known.by.get(name) ?? 0) + us);
    for (const [line, us] of site.lines) known.lines.set(line, (known.lines.get(line) ?? 0) + us);
    for (const node of site.nodes) known.nodes.add(node);
  }
  return [...byOwner.values()].sort((a, b) => b.us - a.us);
}

/** The line that most time of a site was found on. */
export const hottestLine = (lines: ReadonlyMap<number, number>): number | null =>
  [...lines].reduce<readonly [number | null, number]>(
    ([best, most], [line, us]) => (us > most ? [line, us] : [best, most]),
    [null, 0],
  )[0];

/** Names with their parts, most first: `readFileSync 80 %, statSync 20 %`. */
export const describeParts = (by: ReadonlyMap<string, number>): string => {
  const all = [...by.values()].reduce((sum, us) => sum + us, 0);
  return [...by]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([name, us]) => (by.size === 1 ? name : `${name} ${Math.round((us / all) * 100)} %`))
    .join(', ');
};

export const bySeverity = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => rank(a) - rank(b) || (b.share ?? 0) - (a.share ?? 0) || (a.title < b.title ? -1 : 1));

const rank = ({ severity }: Finding): number => (severity === 'high' ? 0 : severity === 'medium' ? 1 : 2);
