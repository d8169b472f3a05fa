/** `heap query`: objects by class, id, size, and by what keeps them alive. */
import { basename } from 'node:path';
import { findDominated } from '../passes/dominated.ts';
import { findRetainers } from '../passes/retainers.ts';
import type { HeapAnalysis } from '../model/analysis.ts';
import type { HeapReference, QueryDocument } from '../report/documents.ts';
import { type Described, describeEdge, describeObject } from './describe.ts';
import { getNode, getNodesOfClass } from './find-objects.ts';

export interface QueryWish {
  readonly id: number | null;
  readonly className: string | null;
  /** Of the retained size, in bytes. */
  readonly minBytes: number;
  /** Id of an object: only what would be free if it were gone. */
  readonly retainedBy: number | null;
  /** Objects, references and retainers that are listed at most; null for all. */
  readonly top: number | null;
}

export const answerQuery = (described: Described, file: string, wish: QueryWish): QueryDocument => {
  const { analysis, isRedacted } = described;
  const { retainedSize, shallowSize } = analysis;
  const nodes = selectNodes(analysis, file, wish);
  const limit = wish.top ?? nodes.length;
  return {
    file: basename(file),
    total: nodes.length,
    shallowBytes: nodes.reduce((sum, node) => sum + shallowSize[node]!, 0),
    objects: takeLargest(nodes, retainedSize, limit).map((node) => describeObject(described, node)),
    ...(wish.id === null ? {} : describeAround(described, nodes[0]!, wish.top)),
    isRedacted,
  };
};

const selectNodes = (analysis: HeapAnalysis, file: string, wish: QueryWish): number[] => {
  const { retainedSize, shallowSize } = analysis;
  if (wish.id !== null) return [getNode(analysis, wish.id, file)];
  let nodes: Iterable<number>;
  if (wish.className !== null) nodes = getNodesOfClass(analysis, wish.className, file);
  else nodes = retainedSize.keys();
  const kept = wish.retainedBy === null ? null : markSubtree(analysis, getNode(analysis, wish.retainedBy, file));
  const found: number[] = [];
  for (const node of nodes)
    if (retainedSize[node]! >= wish.minBytes && shallowSize[node]! > 0 && (kept === null || kept[node] === 1))
      found.push(node);
  return found;
};

/** Per node: 1 for everything below `top` in the dominator tree. */
const markSubtree = (analysis: HeapAnalysis, top: number): Uint8Array => {
  const { first, node: children } = findDominated(analysis);
  const marks = new Uint8Array(analysis.retainedSize.length);
  const waiting = [top];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop())
    for (let at = first[node]!; at < first[node + 1]!; at++) {
      marks[children[at]!] = 1;
      waiting.push(children[at]!);
    }
  return marks;
};

/** By size, the largest first; equal ones in the order of the file. */
const takeLargest = (nodes: readonly number[], size: ArrayLike<number>, limit: number): number[] =>
  nodes.toSorted((one, two) => size[two]! - size[one]! || one - two).slice(0, limit);

const describeAround = (
  described: Described,
  node: number,
  top: number | null,
): Pick<QueryDocument, 'references' | 'retainers'> => {
  const { graph, retainedSize, edgeRules } = described.analysis;
  const reference = (from: number, edge: number, shown: number): { size: number; make: () => HeapReference } => ({
    size: retainedSize[shown]!,
    make: () => ({
      edge: describeEdge(graph, edge),
      retains: edgeRules.retains(from, edge),
      object: describeObject(described, shown),
    }),
  });
  const references = [];
  for (let edge = graph.firstEdge[node]!; edge < graph.firstEdge[node + 1]!; edge++)
    references.push(reference(node, edge, graph.edgeTo[edge]!));
  const retainers = [];
  const table = findRetainers(graph);
  for (let at = table.first[node]!; at < table.first[node + 1]!; at++)
    retainers.push(reference(table.from[at]!, table.edge[at]!, table.from[at]!));
  const make = (all: { size: number; make: () => HeapReference }[]): HeapReference[] =>
    all
      .toSorted((one, two) => two.size - one.size)
      .slice(0, top ?? all.length)
      .map((one) => one.make());
  return { references: make(references), retainers: make(retainers) };
};
