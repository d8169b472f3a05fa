/** The edges that lead to each node, whether they retain it or not: the graph read backwards. Built when first asked for. */
import type { HeapGraph } from '../model/graph.ts';

export interface Retainers {
  /** `nodeCount + 1` entries: edges to node n are `edge[first[n]]` up to `edge[first[n + 1]]`, in the order of the file. */
  readonly first: Uint32Array;
  readonly edge: Uint32Array;
  /** Per entry of `edge`: the node that the edge begins at. */
  readonly from: Uint32Array;
}

const built = new WeakMap<HeapGraph, Retainers>();

/** 8 bytes an edge; kept for as long as the graph is. */
export function findRetainers(graph: HeapGraph): Retainers {
  const known = built.get(graph);
  if (known !== undefined) return known;
  const { edgeCount, edgeTo, firstEdge, nodeCount } = graph;
  const first = new Uint32Array(nodeCount + 1);
  for (let at = 0; at < edgeCount; at += 1) {
    const to = (edgeTo[at] as number) + 1;
    first[to] = (first[to] as number) + 1;
  }
  for (let node = 0; node < nodeCount; node += 1)
    first[node + 1] = (first[node + 1] as number) + (first[node] as number);
  const fill = first.slice(0, nodeCount);
  const edge = new Uint32Array(edgeCount);
  const from = new Uint32Array(edgeCount);
  for (let node = 0; node < nodeCount; node += 1) {
    const end = firstEdge[node + 1] as number;
    for (let at = firstEdge[node] as number; at < end; at += 1) {
      const to = edgeTo[at] as number;
      const place = fill[to] as number;
      edge[place] = at;
      from[place] = node;
      fill[to] = place + 1;
    }
  }
  const retainers = { first, edge, from };
  built.set(graph, retainers);
  return retainers;
}
