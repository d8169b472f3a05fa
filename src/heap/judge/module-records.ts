/** Node's records of the modules it loaded: one a file, with the file's path among their strings. */
import type { Reading } from '../compare/reading.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import type { Places } from './places.ts';

/** Scripts of Node's own loaders. */
export const LOADER = /^node:internal\/modules\//;

export const isModuleRecord = (places: Places, node: number): boolean =>
  LOADER.test(places.reading.scripts.fileOf(places.scriptOfNode(node)));

/** The path or URL of the module; empty when the record has none. */
export function fileOfRecord({ graph }: Reading, record: number): string {
  const end = graph.firstEdge[record + 1] as number;
  for (let edge = graph.firstEdge[record] as number; edge < end; edge++) {
    const to = graph.edgeTo[edge] as number;
    if (graph.edgeType[edge] !== EDGE.property || graph.nodeType[to] !== NODE.string) continue;
    const name = graph.strings.get(graph.edgeName[edge] as number);
    if (name === 'filename' || name === 'url' || name === 'id') return graph.strings.get(graph.nodeName[to] as number);
  }
  return '';
}
