/** Allocation stacks, put together from the sections `trace_function_infos` and `trace_tree`. */
import type { HeapAllocations } from '../model/graph.ts';
import type { RecordColumns } from './record-columns.ts';
import type { StringTable } from './string-table.ts';
import type { TraceTreeReader } from './trace-tree.ts';
import { fail } from './value-reader.ts';

/** Null where the file was written without tracking. */
export function toAllocations(
  infos: RecordColumns | null,
  tree: TraceTreeReader | null,
  traceNodeId: Uint32Array | null,
  strings: StringTable,
  file: string,
): HeapAllocations | null {
  if (infos === null || tree === null || traceNodeId === null || infos.count === 0 || tree.count === 0) return null;
  const [names, scripts, scriptIds, lines, columns] = ['name', 'script_name', 'script_id', 'line', 'column'].map(
    (field) => infos.exact(field),
  );
  const text = (index: number | undefined, where: string): string =>
    index !== undefined && index >= 0 && index < strings.count
      ? strings.get(index)
      : fail(file, where, `there is no string ${index}, only ${strings.count}`);
  const functions = Array.from({ length: infos.count }, (_, at) => ({
    name: text(names?.[at], `trace_function_infos[${at}].name`),
    scriptName: text(scripts?.[at], `trace_function_infos[${at}].script_name`),
    scriptId: scriptIds?.[at] ?? 0,
    line: Math.max(lines?.[at] ?? 0, 0),
    column: Math.max(columns?.[at] ?? 0, 0),
  }));
  const rows = Array.from({ length: tree.count }, (_, at) => at);
  for (const at of rows) {
    const info = tree.get(at, 'function_info_index');
    if (!(info < infos.count)) fail(file, `trace_tree[${at}].function_info_index`, `there is no function ${info}`);
  }
  return {
    traceNodeId,
    functions,
    traceId: Uint32Array.from(rows, (at) => tree.get(at, 'id')),
    parent: tree.parent.slice(0, tree.count),
    functionOf: Uint32Array.from(rows, (at) => tree.get(at, 'function_info_index')),
    allocatedCount: Float64Array.from(rows, (at) => tree.get(at, 'count')),
    allocatedBytes: Float64Array.from(rows, (at) => tree.get(at, 'size')),
  };
}
