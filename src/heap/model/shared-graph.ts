/** A graph as a message to another thread: columns that were read from a file are in shared memory and are not copied. */
import { type SharedStrings, StringTable } from '../read/string-table.ts';
import type { HeapGraph } from './graph.ts';

export interface SharedGraph extends Omit<HeapGraph, 'strings' | 'allocations'> {
  readonly strings: SharedStrings;
}

/** Null for graphs that were put together otherwise than by reading a file. */
export function shareGraph(graph: HeapGraph): SharedGraph | null {
  const { strings, allocations: _, ...columns } = graph;
  if (!(strings instanceof StringTable) || !(columns.edgeTo.buffer instanceof SharedArrayBuffer)) return null;
  return { ...columns, strings: strings.share() };
}

/** Without the stacks of allocations, which no pass needs. */
export const receiveGraph = (graph: SharedGraph): HeapGraph => ({
  ...graph,
  strings: StringTable.of(graph.strings),
  allocations: null,
});
