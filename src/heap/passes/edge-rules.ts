/**
 * Which edges retain. The rules are those of DevTools (HeapSnapshot.ts, computeIsEssentialEdge, markPageOwnedNodes), so
 * that retained sizes come out equal.
 */
import type { EdgeRules } from '../model/analysis.ts';
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';
import { isDomTreesRoot } from './user-roots.ts';
import type { WeakMapNames } from './weak-map-edges.ts';

export function findEdgeRules(graph: HeapGraph, weakMaps: WeakMapNames): EdgeRules {
  const { edgeTo, edgeType, edgeName, nodeId } = graph;
  const isUser = findUserNodes(graph);
  return {
    isUser,
    retains(from, edge) {
      const type = edgeType[edge];
      if (type === EDGE.weak) return false;
      const to = edgeTo[edge] as number;
      if (from === to) return false;
      // The key of a WeakMap's entry retains the value as well: the table's edge is left out, as removing either frees it.
      if (type === EDGE.internal && weakMaps.tableId(edgeName[edge] as number) === nodeId[from]) return false;
      if (from === 0) return true;
      // Shortcuts stand for what other edges lead to as well; only the root's name the program's globals.
      if (type === EDGE.shortcut) return false;
      return isUser[to] === 0 || isUser[from] !== 0;
    },
  };
}

/** Marks what is reachable over edges that are not weak from the targets of the root's shortcuts. */
function findUserNodes(graph: HeapGraph): Uint8Array {
  const { edgeTo, edgeType, firstEdge, nodeCount } = graph;
  const isUser = new Uint8Array(nodeCount);
  const stack = new Uint32Array(nodeCount);
  let height = 0;
  for (let edge = 0; edge < (firstEdge[1] as number); edge += 1) {
    const to = edgeTo[edge] as number;
    const type = edgeType[edge];
    const isEntry = type === EDGE.shortcut || (type === EDGE.element && isDomTreesRoot(graph, to));
    if (!isEntry || isUser[to] !== 0) continue;
    isUser[to] = 1;
    stack[height++] = to;
  }
  while (height > 0) {
    const node = stack[--height] as number;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
      const to = edgeTo[edge] as number;
      if (isUser[to] !== 0 || edgeType[edge] === EDGE.weak) continue;
      isUser[to] = 1;
      stack[height++] = to;
    }
  }
  return isUser;
}
