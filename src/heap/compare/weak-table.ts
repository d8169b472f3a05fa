/** Entries of WeakMaps in a snapshot: an edge from the key and one from the table lead to the value, both with the same long name. */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';

/** The id of the table of a WeakMap that an edge is an entry of; undefined for all other edges. */
export function findWeakTable(graph: HeapGraph, edge: number): number | undefined {
  if (graph.edgeType[edge] !== EDGE.internal) return undefined;
  const name = graph.edgeName[edge] as number;
  // The shortest such name is longer than any other of V8's; most need not be decoded.
  if (graph.strings.byteLength(name) < 40) return undefined;
  const [, id] = /pair in WeakMap \(table @(\d+)\)$/.exec(graph.strings.get(name)) ?? [];
  return id === undefined ? undefined : Number(id);
}
