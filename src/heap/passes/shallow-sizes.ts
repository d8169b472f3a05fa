/**
 * Shallow sizes with arrays, hidden objects and the bytes of external strings merged into the one node that owns them, as
 * DevTools does before it sums (JSHeapSnapshot.calculateShallowSizes). A node that two others reach keeps its size.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { listUserRoots } from './user-roots.ts';

/** Below zero: see `retained-visit.ts`. */
const UNVISITED = -1;
const SHARED = -2;

/** `scratch`: a number a node, whatever is in it. */
export function mergeShallowSizes(
  graph: HeapGraph,
  isDetached: (node: number) => boolean,
  scratch: Uint32Array<ArrayBuffer>,
): Uint32Array | Float64Array {
  // Without globals the snapshot was taken with V8's internals exposed; such sizes are meant as they are.
  if (listUserRoots(graph).length === 0) return graph.selfSize;
  const owners = findOwners(graph, isDetached, new Int32Array(scratch.buffer));
  return moveSizes(graph, owners);
}

/** Per node: itself, the only node that owns it, or that there is none or more than one. */
function findOwners(graph: HeapGraph, isDetached: (node: number) => boolean, owners: Int32Array): Int32Array {
  const { edgeTo, edgeType, firstEdge, nodeCount, nodeType, nodeName } = graph;
  const [externalData] = graph.strings.find(['system / ExternalStringData']);
  for (let node = 0; node < nodeCount; node += 1) {
    const type = nodeType[node];
    const isOwned =
      type === NODE.hidden ||
      type === NODE.array ||
      (type === NODE.native && nodeName[node] === externalData && !isDetached(node));
    owners[node] = isOwned ? UNVISITED : node;
  }
  const stack: number[] = [];
  const spread = (node: number): void => {
    const owner = owners[node] as number;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
      if (edgeType[edge] === EDGE.weak) continue;
      const to = edgeTo[edge] as number;
      const known = owners[to] as number;
      if (known === to || known === owner || known === SHARED) continue;
      owners[to] = known === UNVISITED ? owner : SHARED;
      stack.push(to);
    }
  };
  // Where the walk begins does not matter: a node ends up with an owner exactly when a single one reaches it.
  for (let node = 0; node < nodeCount; node += 1) {
    if (owners[node] !== node) continue;
    spread(node);
    while (stack.length > 0) spread(stack.pop() as number);
  }
  return owners;
}

function moveSizes(graph: HeapGraph, owners: Int32Array): Uint32Array | Float64Array {
  // A copy in memory of this thread: the columns of a graph are shared.
  let sizes: Uint32Array | Float64Array =
    graph.selfSize instanceof Uint32Array ? Uint32Array.from(graph.selfSize) : Float64Array.from(graph.selfSize);
  for (let node = 0; node < graph.nodeCount; node += 1) {
    const owner = owners[node] as number;
    if (owner === node || owner === UNVISITED || owner === SHARED) continue;
    if (owner === 0 || graph.nodeType[owner] === NODE.synthetic) continue;
    const sum = (sizes[owner] as number) + (sizes[node] as number);
    if (sum > 0xffff_ffff && sizes instanceof Uint32Array) sizes = Float64Array.from(sizes);
    sizes[owner] = sum;
    sizes[node] = 0;
  }
  return sizes;
}
