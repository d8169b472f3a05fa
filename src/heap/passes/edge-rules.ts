/**
 * Which edges retain. The rules are those of DevTools (HeapSnapshot.ts, computeIsEssentialEdge, markPageOwnedNodes), so
 * that retained sizes come out equal. `retained-visit.ts` has the same ones written out.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';
import type { WeakMapNames } from './weak-map-edges.ts';

/** `isUser`: per node, 1 where it is reachable over edges that are not weak from the targets of the root's shortcuts. */
export function edgeRule(
  graph: HeapGraph,
  weakMaps: WeakMapNames,
  isUser: Uint8Array,
): (from: number, edge: number) => boolean {
  const { edgeTo, edgeType, edgeName, nodeId } = graph;
  return (from, edge) => {
    const type = edgeType[edge];
    if (type === EDGE.weak) return false;
    const to = edgeTo[edge] as number;
    if (from === to) return false;
    // The key of a WeakMap's entry retains the value as well: the table's edge is left out, as removing either frees it.
    if (type === EDGE.internal && weakMaps.tables.get(edgeName[edge] as number) === nodeId[from]) return false;
    if (from === 0) return true;
    // Shortcuts stand for what other edges lead to as well; only the root's name the program's globals.
    if (type === EDGE.shortcut) return false;
    return isUser[to] === 0 || isUser[from] !== 0;
  };
}
