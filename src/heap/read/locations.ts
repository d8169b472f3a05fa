/** Locations as columns sorted by node, so that a node's is found by halving. */
import type { HeapLocations } from '../model/graph.ts';
import { release } from '../model/release.ts';
import { newWords } from './columns.ts';
import type { RecordColumns } from './record-columns.ts';
import { fail } from './value-reader.ts';

export const NO_LOCATIONS: HeapLocations = {
  count: 0,
  node: new Uint32Array(0),
  scriptId: new Uint32Array(0),
  line: new Uint32Array(0),
  column: new Uint32Array(0),
};

/**
 * `nodeWidth`: fields of a node, because locations name nodes by the position of their first number. The records are given
 * back: nobody can read them afterwards.
 */
export function toLocations(records: RecordColumns, nodeWidth: number, nodeCount: number, file: string): HeapLocations {
  const position = records.column('object_index');
  // By node: one more than the number of its record; the last one counts where there are two.
  const recordOf = new Uint32Array(nodeCount);
  let count = 0;
  for (let at = 0; at < position.length; at += 1) {
    const node = (position[at] as number) / nodeWidth;
    if (!(node < nodeCount && Number.isInteger(node)))
      fail(file, `locations[${at}].object_index`, `no node begins at ${position[at]}`);
    if (recordOf[node] === 0) count += 1;
    recordOf[node] = at + 1;
  }
  const sorted = {
    count,
    node: newWords(count),
    scriptId: newWords(count),
    line: newWords(count),
    column: newWords(count),
  };
  const scriptId = records.column('script_id');
  const line = records.column('line');
  const column = records.column('column');
  for (let node = 0, at = 0; at < count; node += 1) {
    if (recordOf[node] === 0) continue;
    const record = (recordOf[node] as number) - 1;
    sorted.node[at] = node;
    sorted.scriptId[at] = scriptId[record] as number;
    sorted.line[at] = line[record] as number;
    sorted.column[at] = column[record] as number;
    at += 1;
  }
  release(recordOf.buffer);
  records.release();
  return sorted;
}
