/** Locations as columns sorted by node, so that a node's is found by halving. */
import type { HeapLocations } from '../model/graph.ts';
import type { RecordColumns } from './record-columns.ts';
import { fail } from './value-reader.ts';

export const NO_LOCATIONS: HeapLocations = {
  count: 0,
  node: new Uint32Array(0),
  scriptId: new Uint32Array(0),
  line: new Uint32Array(0),
  column: new Uint32Array(0),
};

/** `nodeWidth`: fields of a node, because locations name nodes by the position of their first number. */
export function toLocations(records: RecordColumns, nodeWidth: number, nodeCount: number, file: string): HeapLocations {
  const positions = records.column('object_index');
  const node = new Uint32Array(records.count);
  let isSorted = true;
  for (let at = 0; at < node.length; at += 1) {
    const ordinal = (positions[at] as number) / nodeWidth;
    if (!(ordinal >= 0 && ordinal < nodeCount && Number.isInteger(ordinal)))
      fail(file, `locations[${at}].object_index`, `no node begins at ${positions[at]}`);
    node[at] = ordinal;
    if (at > 0 && ordinal < (node[at - 1] as number)) isSorted = false;
  }
  const columns = {
    count: node.length,
    node,
    scriptId: Uint32Array.from(records.column('script_id')),
    line: Uint32Array.from(records.column('line')),
    column: Uint32Array.from(records.column('column')),
  };
  if (isSorted) return columns;
  const order = Uint32Array.from(node.keys()).sort((a, b) => (node[a] as number) - (node[b] as number) || a - b);
  const sorted = (column: Uint32Array): Uint32Array => order.map((at) => column[at] as number);
  return {
    count: node.length,
    node: sorted(node),
    scriptId: sorted(columns.scriptId),
    line: sorted(columns.line),
    column: sorted(columns.column),
  };
}
