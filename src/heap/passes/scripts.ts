/** Names of scripts: snapshots give a script's number with every location, its file only along closure → code → script. */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';

/** By script id: the file's path or URL, as V8 knows it. Scripts of which no function is in the heap are not there. */
export function findScripts(graph: HeapGraph): ReadonlyMap<number, string> {
  const { locations, nodeName, nodeType, strings } = graph;
  const names = new Map<number, string>();
  for (const { scriptId, scriptName } of graph.allocations?.functions ?? [])
    if (scriptName !== '') names.set(scriptId, scriptName);
  const [shared = -1, script = -1] = strings.find(['shared', 'script']);
  for (let at = 0; at < locations.count; at += 1) {
    const scriptId = locations.scriptId[at] as number;
    const closure = locations.node[at] as number;
    if (names.has(scriptId) || nodeType[closure] !== NODE.closure) continue;
    const code = follow(graph, closure, shared);
    const file = code === -1 ? -1 : follow(graph, code, script);
    const name = file === -1 ? '' : strings.get(nodeName[file] as number);
    if (name !== '') names.set(scriptId, name);
  }
  return names;
}

/** The target of the internal edge with that name; −1 where there is none. */
function follow({ edgeName, edgeTo, edgeType, firstEdge }: HeapGraph, node: number, name: number): number {
  for (let edge = firstEdge[node] as number; edge < (firstEdge[node + 1] as number); edge += 1)
    if (edgeName[edge] === name && edgeType[edge] === EDGE.internal) return edgeTo[edge] as number;
  return -1;
}
