/**
 * Immediate dominators by Semi-NCA (L. Georgiadis, "Linear-time algorithms for dominators and related problems", 2005,
 * section 2.2; semidominators as in Lengauer and Tarjan 1979), over arrays that are indexed by preorder number: parents and
 * ancestors are smaller numbers, mostly near by.
 *
 * What no retaining edge reaches hangs from the root, as in DevTools: nodes without any retainer are visited from there
 * with what they hold; what is left then (circles) stands for itself.
 */
import type { EdgeRules } from '../model/analysis.ts';
import type { HeapGraph } from '../model/graph.ts';

export interface Dominators {
  /** Per node; the root's own is 0. */
  readonly dominator: Uint32Array;
  /** All nodes, a dominator always before what it dominates. */
  readonly order: Uint32Array;
}

export function findDominators(graph: HeapGraph, rules: EdgeRules): Dominators {
  const { nodeCount } = graph;
  const retainers = countRetainers(graph, rules);
  const { order, number, parent, connected } = visitDepthFirst(graph, rules, retainers);
  const { first, from } = listRetainers(graph, rules, retainers, order, number, connected);

  // From here on everything is a preorder number.
  const idom = parent;
  const semi = new Uint32Array(nodeCount);
  const label = new Uint32Array(nodeCount);
  const ancestor = parent.slice();
  for (let w = 0; w < nodeCount; w += 1) label[w] = semi[w] = w;
  const path = new Uint32Array(nodeCount);

  /** The number with the smallest semidominator on the way up from v through numbers that were dealt with (above `last`). */
  const evaluate = (v: number, last: number): number => {
    if (v < last) return v;
    let height = 0;
    let at = v;
    while ((ancestor[at] as number) >= last) {
      path[height++] = at;
      at = ancestor[at] as number;
    }
    let best = label[at] as number;
    const top = ancestor[at] as number;
    while (height > 0) {
      const below = path[--height] as number;
      if ((semi[label[below] as number] as number) > (semi[best] as number)) label[below] = best;
      best = label[below] as number;
      ancestor[below] = top;
    }
    return label[v] as number;
  };

  for (let w = connected - 1; w > 0; w -= 1) {
    let least = semi[w] as number;
    const end = first[w + 1] as number;
    for (let at = first[w] as number; at < end; at += 1) {
      const candidate = semi[evaluate(from[at] as number, w + 1)] as number;
      if (candidate < least) least = candidate;
    }
    // Without a retainer, it hangs from the root.
    semi[w] = first[w] === end ? 0 : least;
  }
  for (let w = 1; w < connected; w += 1) {
    let candidate = idom[w] as number;
    while (candidate > (semi[w] as number)) candidate = idom[candidate] as number;
    idom[w] = candidate;
  }

  const dominator = new Uint32Array(nodeCount);
  for (let w = 0; w < nodeCount; w += 1)
    dominator[order[w] as number] = order[w < connected ? (idom[w] as number) : 0] as number;
  return { dominator, order };
}

/** Per node, how many edges retain it. */
function countRetainers({ edgeTo, firstEdge, nodeCount }: HeapGraph, rules: EdgeRules): Uint32Array {
  const counts = new Uint32Array(nodeCount);
  for (let node = 0; node < nodeCount; node += 1) {
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1)
      if (rules.retains(node, edge)) counts[edgeTo[edge] as number] = (counts[edgeTo[edge] as number] as number) + 1;
  }
  return counts;
}

interface Visit {
  /** By preorder number: the node. */
  readonly order: Uint32Array;
  /** By node: the preorder number. */
  readonly number: Uint32Array;
  /** By preorder number: that of the parent. */
  readonly parent: Uint32Array;
  /** Numbers below this one were reached by edges. */
  readonly connected: number;
}

const NOT_SEEN = 0xffff_ffff;

function visitDepthFirst(graph: HeapGraph, rules: EdgeRules, retainers: Uint32Array): Visit {
  const { edgeTo, firstEdge, nodeCount } = graph;
  const order = new Uint32Array(nodeCount);
  const number = new Uint32Array(nodeCount).fill(NOT_SEEN);
  const parent = new Uint32Array(nodeCount);
  const nextEdge = firstEdge.slice(0, nodeCount);
  let count = 0;
  const visit = (start: number): void => {
    let node = start;
    number[node] = count;
    order[count++] = node;
    for (;;) {
      const at = nextEdge[node] as number;
      if (at === firstEdge[node + 1]) {
        if (node === start) return;
        node = order[parent[number[node] as number] as number] as number;
        continue;
      }
      nextEdge[node] = at + 1;
      const to = edgeTo[at] as number;
      if (number[to] !== NOT_SEEN || !rules.retains(node, at)) continue;
      parent[count] = number[node] as number;
      number[to] = count;
      order[count++] = to;
      node = to;
    }
  };
  visit(0);
  for (let node = 0; node < nodeCount; node += 1) if (number[node] === NOT_SEEN && retainers[node] === 0) visit(node);
  const connected = count;
  for (let node = 0; node < nodeCount; node += 1) {
    if (number[node] !== NOT_SEEN) continue;
    number[node] = count;
    order[count++] = node;
  }
  return { order, number, parent, connected };
}

/** Retainers by preorder number, in one list with a place for each node. */
function listRetainers(
  { edgeTo, firstEdge, nodeCount }: HeapGraph,
  rules: EdgeRules,
  counts: Uint32Array,
  order: Uint32Array,
  number: Uint32Array,
  connected: number,
): { readonly first: Uint32Array; readonly from: Uint32Array } {
  const first = new Uint32Array(nodeCount + 1);
  for (let w = 0; w < nodeCount; w += 1) first[w + 1] = (first[w] as number) + (counts[order[w] as number] as number);
  const from = new Uint32Array(first[nodeCount] as number);
  const fill = first.slice(0, nodeCount);
  for (let v = 0; v < nodeCount; v += 1) {
    const node = order[v] as number;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
      if (!rules.retains(node, edge)) continue;
      const w = number[edgeTo[edge] as number] as number;
      // Circles that nothing reaches do not hold what is reached: the number counts as the target's own.
      from[fill[w] as number] = v < connected ? v : w;
      fill[w] = (fill[w] as number) + 1;
    }
  }
  return { first, from };
}
