/**
 * Which AsyncLocalStorage a kept store belongs to. From Node 24 on a frame is a Map whose keys are the storages; before,
 * a store hangs from its resource by a symbol, which does not say whose it is, unless there is only one storage.
 */
import type { Territory } from '../compare/territory.ts';
import { NODE } from '../model/node-types.ts';
import { NONE } from '../source/words.ts';
import type { Members } from './members.ts';

/** The AsyncLocalStorage object; NONE when it cannot be told. */
export function findStorage({ reading, ownership }: Territory, { frame }: Members): number {
  const { graph, words } = reading;
  const isStorage = (node: number): boolean =>
    graph.nodeType[node] === NODE.object &&
    ownership.parent[node] !== NONE &&
    graph.strings.get(graph.nodeName[node] as number) === 'AsyncLocalStorage' &&
    // Its prototype is called so too, and has no symbol of its own.
    words.follow(node, 'map') !== NONE;
  const table = frame === NONE ? NONE : words.follow(frame, 'table');
  if (table !== NONE) {
    const end = graph.firstEdge[table + 1] as number;
    for (let edge = graph.firstEdge[table] as number; edge < end; edge++) {
      if (isStorage(graph.edgeTo[edge] as number)) return graph.edgeTo[edge] as number;
    }
  }
  let only = NONE;
  for (const node of ownership.order) {
    if (!isStorage(node) || words.hasProperty(node, 'constructor')) continue;
    if (only !== NONE) return NONE;
    only = node;
  }
  return only;
}
