/**
 * Names of the variables of blocks. V8 names the variables of functions and modules in a snapshot, but not those of a block
 * (`{ … }`, a loop, what a test runner wraps a module in): such a context has numbered edges, and its scope info has the
 * names in order. Small integers are in no snapshot and not in the numbers either, so a value may stand for a later name
 * than its number says; what is known of values and of their declarations decides, and where two answers are as good none is given.
 *
 * How edges are numbered: V8's `heap-snapshot-generator.cc`, `IndexedReferencesExtractor` and `ExtractContextReferences`.
 */
import { EDGE, NODE } from '../model/node-types.ts';
import type { Declarations } from './declarations.ts';
import type { ScriptNames } from './script-names.ts';
import { NONE, type Words } from './words.ts';

/** More variables than this are in a table of another kind. */
const MOST_NAMES = 75;

/** How well a value and a declaration agree. */
const SAME_NAME = 4;
const SAME_CLASS = 3;
const OTHER_CLASS = -3;

export class BlockVariables {
  private readonly words: Words;
  private readonly scripts: ScriptNames;
  private readonly declarations: Declarations;
  private readonly names = new Map<number, ReadonlyMap<number, string>>();
  private readonly initial = new Map<string, readonly string[]>();

  constructor(words: Words, scripts: ScriptNames, declarations: Declarations) {
    this.words = words;
    this.scripts = scripts;
    this.declarations = declarations;
  }

  /** The variable that an edge of a context is; empty where it is none, or which one cannot be told. */
  nameOf(context: number, edge: number): string {
    const { graph } = this.words;
    if (graph.edgeType[edge] !== EDGE.hidden || !this.words.isNamed(context, 'system / Context')) return '';
    let names = this.names.get(context);
    if (names === undefined) this.names.set(context, (names = this.alignContext(context)));
    return names.get(edge) ?? '';
  }

  private alignContext(context: number): ReadonlyMap<number, string> {
    const scope = this.words.follow(context, 'scope_info');
    const names = scope === NONE ? [] : this.listNames(scope);
    const values = listHidden(this.words, context);
    const last = values.at(-1);
    if (last === undefined || names.length > MOST_NAMES || last.index >= names.length) return new Map();
    const script = this.scripts.scriptOfContext(context);
    const found = alignInOrder(
      values.map(({ index }) => index),
      names.length,
      (value, name) => this.agree(values[value]?.node as number, names[name] as string, script),
    );
    const named = new Map<number, string>();
    for (const [at, name] of found.entries()) {
      if (name !== -1) named.set(values[at]?.edge as number, names[name] as string);
    }
    return named;
  }

  private listNames(scope: number): string[] {
    const { graph } = this.words;
    return listHidden(this.words, scope)
      .filter(({ node }) => graph.nodeType[node] === NODE.string)
      .map(({ node }) => graph.strings.get(graph.nodeName[node] as number));
  }

  /** Looked up in the text once: a block that runs often has a context for each time. */
  private initialOf(script: number, name: string): readonly string[] {
    const key = `${script} ${name}`;
    let initial = this.initial.get(key);
    if (initial === undefined) this.initial.set(key, (initial = this.declarations.initialValues(script, name)));
    return initial;
  }

  /** How well a value fits what the source says of a variable; 0 where nothing is known. */
  private agree(node: number, name: string, script: number): number {
    const { graph } = this.words;
    const type = graph.nodeType[node] as number;
    const own = graph.strings.get(graph.nodeName[node] as number);
    if (type === NODE.closure && own === name) return SAME_NAME;
    const initial = this.initialOf(script, name);
    if (initial.length === 0) return 0;
    const className = type === NODE.closure ? 'Function' : type === NODE.number ? 'Number' : own;
    return initial.includes(className) ? SAME_CLASS : OTHER_CLASS;
  }
}

/** Numbered edges, in order. */
function listHidden({ graph }: Words, node: number): { index: number; edge: number; node: number }[] {
  const hidden: { index: number; edge: number; node: number }[] = [];
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
    if (graph.edgeType[edge] !== EDGE.hidden) continue;
    hidden.push({ index: graph.edgeName[edge] as number, edge, node: graph.edgeTo[edge] as number });
  }
  return hidden.sort((a, b) => a.index - b.index);
}

/**
 * Gives each value a name, in order: the value with number `i` has name `i` or a later one, and never fewer names are
 * passed over than for the value before. Of all such ways the ones that score highest count; a value whose name is not the same
 * in all of them gets −1. By dynamic programming over values and names passed over, from both ends.
 *
 * @param numbers Of the values, rising.
 * @param score How well a value (by position) fits a name (by position).
 */
export function alignInOrder(
  numbers: readonly number[],
  nameCount: number,
  score: (value: number, name: number) => number,
): number[] {
  const most = nameCount - 1 - (numbers.at(-1) ?? 0);
  if (most < 0) return numbers.map(() => -1);
  const shifts = Array.from({ length: most + 1 }, (_, shift) => shift);
  const scores = numbers.map((number, value) => shifts.map((shift) => score(value, number + shift)));
  // Best sum up to each value, and from it on, for each number of names passed over by then.
  const upTo: number[][] = [];
  for (const row of scores) {
    const before = upTo.at(-1);
    let best = Number.NEGATIVE_INFINITY;
    upTo.push(row.map((own, shift) => own + (best = Math.max(best, before?.[shift] ?? 0))));
  }
  const from: number[][] = [];
  for (const row of scores.toReversed()) {
    const after = from.at(-1);
    let best = Number.NEGATIVE_INFINITY;
    from.push(
      row
        .map((own, at) => [own, at] as const)
        .reduceRight<number[]>((sums, [own, at]) => {
          best = Math.max(best, after?.[at] ?? 0);
          sums[at] = own + best;
          return sums;
        }, []),
    );
  }
  from.reverse();
  const top = Math.max(...(upTo.at(-1) ?? [0]));
  return numbers.map((number, value) => {
    const possible = shifts.filter(
      (shift) =>
        (upTo[value]?.[shift] as number) + (from[value]?.[shift] as number) - (scores[value]?.[shift] as number) ===
        top,
    );
    return possible.length === 1 ? number + (possible[0] as number) : -1;
  });
}
