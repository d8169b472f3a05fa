/**
 * Which nodes DevTools calls `Detached …` (HeapSnapshot.propagateDOMState): objects of the embedder that are detached,
 * and those of it that only such ones lead to. What an attached one leads to is attached.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';

const ATTACHED = 1;
const DETACHED = 2;

/** Ordinals of the detached nodes of type native. */
export function findDetached(graph: HeapGraph): ReadonlySet<number> {
  const { detachedness, edgeTo, edgeType, firstEdge, nodeCount, nodeType } = graph;
  const state = new Map<number, number>();
  const attached: number[] = [];
  const detached: number[] = [];
  const enter = (node: number, as: number): void => {
    if (nodeType[node] !== NODE.native || state.has(node)) return;
    state.set(node, as);
    if (as === ATTACHED) attached.push(node);
    else if (as === DETACHED) detached.push(node);
  };
  for (let node = 0; node < nodeCount; node += 1) {
    const own = detachedness[node] as number;
    if (own === ATTACHED || own === DETACHED) enter(node, own);
  }
  const result = new Set<number>();
  const spread = (node: number, as: number): void => {
    for (let edge = firstEdge[node] as number; edge < (firstEdge[node + 1] as number); edge += 1)
      if (edgeType[edge] !== EDGE.hidden && edgeType[edge] !== EDGE.weak) enter(edgeTo[edge] as number, as);
  };
  while (attached.length > 0) spread(attached.pop() as number, ATTACHED);
  while (detached.length > 0) spread(detached.pop() as number, DETACHED);
  for (const [node, as] of state) if (as === DETACHED) result.add(node);
  return result;
}
