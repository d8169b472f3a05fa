/**
 * Distances as DevTools counts them (HeapSnapshot.calculateDistances): breadth first from the program's globals, then
 * from the root for what is left, skipping links that would make everything look near.
 */
import { NO_DISTANCE, SYSTEM_DISTANCE } from '../model/analysis.ts';
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { listUserRoots } from './user-roots.ts';
import { pairOf, type WeakMapNames } from './weak-map-edges.ts';

/** `queue`: room for a number a node, whatever is in it. */
export function findDistances(graph: HeapGraph, weakMaps: WeakMapNames, queue: Uint32Array): Int32Array {
  const { edgeTo, edgeType, firstEdge, nodeCount } = graph;
  const distance = new Int32Array(nodeCount).fill(NO_DISTANCE);
  const follows = linkRule(graph, weakMaps);
  const roots = listUserRoots(graph);
  let tail = 0;
  const walk = (): void => {
    for (let head = 0; head < tail; head += 1) {
      const node = queue[head] as number;
      const next = (distance[node] as number) + 1;
      const end = firstEdge[node + 1] as number;
      for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
        if (edgeType[edge] === EDGE.weak) continue;
        const to = edgeTo[edge] as number;
        if (distance[to] !== NO_DISTANCE || !follows(node, edge)) continue;
        distance[to] = next;
        queue[tail++] = to;
      }
    }
  };
  for (const root of roots) {
    if (distance[root] === NO_DISTANCE) queue[tail++] = root;
    distance[root] = 1;
  }
  walk();
  distance[0] = roots.length > 0 ? SYSTEM_DISTANCE : 0;
  queue[0] = 0;
  tail = 1;
  walk();
  return distance;
}

/** Which links count. It remembers entries of WeakMaps: only the second of the two edges of one counts. */
function linkRule(graph: HeapGraph, weakMaps: WeakMapNames): (node: number, edge: number) => boolean {
  const { edgeType, edgeName, nodeName, nodeType, strings } = graph;
  const [nativeContext, sloppyMap, descriptors] = strings.find([
    'system / NativeContext',
    'sloppy_function_map',
    '(map descriptors)',
  ]);
  const half = new Set<string>();
  return (node, edge) => {
    const name = edgeName[edge] as number;
    const type = edgeType[edge];
    if (nodeType[node] === NODE.hidden && nodeName[node] === nativeContext) {
      if (name === sloppyMap && type !== EDGE.element && type !== EDGE.hidden) return false;
    } else if (nodeType[node] === NODE.array && nodeName[node] === descriptors) {
      // Every third entry of the descriptors is a link that may not be valid for each map that shares them.
      const isIndex = type === EDGE.element || type === EDGE.hidden;
      const index = isIndex ? name : Number.parseInt(strings.get(name), 10);
      return index < 2 || index % 3 !== 1;
    }
    if (type !== EDGE.internal || weakMaps.isName[name] !== 1) return true;
    const pair = pairOf(strings, name);
    if (half.delete(pair)) return true;
    half.add(pair);
    return false;
  };
}
