/**
 * Which strings of a snapshot are words of the program's code. V8 keeps the names that a function uses in its constant
 * pool, and names of variables in scope infos; a key that was made at run time (`users[token]`) is in neither, whatever
 * it looks like. Measured on Node 20, 22, 24 and 26.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';

/** Nodes of type code whose strings were written by a programmer. Feedback vectors are code as well, and hold keys from run time. */
const HOLDERS = [
  '(constant pool)',
  '(context local names)',
  'system / ScopeInfo',
  'system / ObjectBoilerplateDescription',
];

/** Per string: 1 where it stands in code, as a name or as a literal. */
export const findCodeWords = (graph: HeapGraph): Uint8Array => {
  const { nodeCount, nodeType, nodeName, firstEdge, edgeTo, edgeType, strings } = graph;
  const found = new Uint8Array(strings.count);
  const holders = new Set(strings.find(HOLDERS).filter((index) => index !== -1));
  for (let node = 0; node < nodeCount; node++) {
    if (nodeType[node] !== NODE.code || !holders.has(nodeName[node]!)) continue;
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
      const to = edgeTo[edge]!;
      if (edgeType[edge] !== EDGE.weak && nodeType[to] === NODE.string) found[nodeName[to]!] = 1;
    }
  }
  return found;
};
