/** Where the program begins: the children of the root that are no synthetic groups of V8's. */
import type { HeapGraph } from '../model/graph.ts';
import { NODE } from '../model/node-types.ts';

const DOM_TREES = '(Document DOM trees)';

/** True for a child of the root that DevTools takes for a global of the program. */
function isUserRoot(graph: HeapGraph, node: number): boolean {
  return graph.nodeType[node] !== NODE.synthetic || isDomTreesRoot(graph, node);
}

export const isDomTreesRoot = (graph: HeapGraph, node: number): boolean =>
  graph.nodeType[node] === NODE.synthetic && graph.strings.get(graph.nodeName[node] as number) === DOM_TREES;

/** Every child of the root once per edge, in the order of the file. */
export function listUserRoots(graph: HeapGraph): number[] {
  const roots: number[] = [];
  for (let edge = 0; edge < (graph.firstEdge[1] as number); edge += 1) {
    const node = graph.edgeTo[edge] as number;
    if (isUserRoot(graph, node)) roots.push(node);
  }
  return roots;
}
