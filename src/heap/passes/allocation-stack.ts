/** Who allocated a node: the stack at that moment, from snapshots that were written while allocations were tracked. */
import type { AllocationFunction, HeapAllocations, HeapGraph } from '../model/graph.ts';

const rowsById = new WeakMap<HeapAllocations, ReadonlyMap<number, number>>();

/** Innermost function first; empty where the file does not tell, or the node is older than the tracking. */
export function findAllocationStack(graph: HeapGraph, node: number): AllocationFunction[] {
  const { allocations } = graph;
  if (allocations === null) return [];
  let rows = rowsById.get(allocations);
  if (rows === undefined) {
    rows = new Map(Array.from(allocations.traceId, (id, row) => [id, row]));
    rowsById.set(allocations, rows);
  }
  const stack: AllocationFunction[] = [];
  let row = rows.get(allocations.traceNodeId[node] ?? 0) ?? -1;
  while (row > 0) {
    const called = allocations.functions[allocations.functionOf[row] as number];
    if (called !== undefined) stack.push(called);
    row = allocations.parent[row] as number;
  }
  return stack;
}
