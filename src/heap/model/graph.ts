/**
 * A heap snapshot in memory: columns of numbers, one row a node or an edge. Nodes are known by their ordinal (0 is the
 * root), edges by theirs, in the order of the file. Nothing here is computed: see `passes/`.
 */

/** The file's strings. They stay bytes until somebody asks for one: a snapshot may have more of them than a heap may hold. */
export interface HeapStrings {
  readonly count: number;
  /** Decoded; the same index gives an equal string every time. Longer ones are cut where V8 would refuse them. */
  get(index: number): string;
  /** Length in bytes of the text as UTF-8. */
  byteLength(index: number): number;
  /** Indexes of the strings that are a number and then `text`, perhaps with more behind. */
  findNumbered(text: string): number[];
  /** The index of the first string that is equal to each text; −1 where there is none. One search of all bytes for each that is rare. */
  find(texts: readonly string[]): number[];
}

export interface HeapGraph {
  readonly nodeCount: number;
  readonly edgeCount: number;
  /** Per node: a value of `NODE`. */
  readonly nodeType: Uint8Array;
  /** Per node: index into `strings`. */
  readonly nodeName: Uint32Array;
  /** Per node: V8's id, the same in every snapshot of a process for as long as the object lives. Odd for objects of the heap. */
  readonly nodeId: Uint32Array | Float64Array;
  /** Per node, bytes, as the file has it: not merged with what a node owns. */
  readonly selfSize: Uint32Array | Float64Array;
  /** Per node: 0 unknown, 1 attached, 2 detached. */
  readonly detachedness: Uint8Array;
  /** `nodeCount + 1` entries: edges of node n are `firstEdge[n]` up to `firstEdge[n + 1]`. */
  readonly firstEdge: Uint32Array;
  /** Per edge: a value of `EDGE`. */
  readonly edgeType: Uint8Array;
  /** Per edge: index into `strings`, or the number itself for edges of type element and hidden. */
  readonly edgeName: Uint32Array;
  /** Per edge: ordinal of the node it leads to. */
  readonly edgeTo: Uint32Array;
  readonly strings: HeapStrings;
  /** Where functions, and objects by their constructor, were written; sorted by node. */
  readonly locations: HeapLocations;
  /** Bytes outside the heap that V8 counts for the snapshot (`extra_native_bytes`, from Node 24 on); 0 where absent. */
  readonly extraNativeBytes: number;
  /** Who allocated what; null unless the file was written while allocations were tracked. */
  readonly allocations: HeapAllocations | null;
  /** The intervals of an allocation timeline (`.heaptimeline`); empty in plain snapshots. */
  readonly samples: HeapSamples;
}

/** Columns, a row a location, at most one a node. Lines and columns count from 0, as V8 writes them; 4294967295 where it wrote −1. */
export interface HeapLocations {
  readonly count: number;
  readonly node: Uint32Array;
  readonly scriptId: Uint32Array;
  readonly line: Uint32Array;
  readonly column: Uint32Array;
}

/** Stacks of allocations as a tree of calls; 0 is its root. A parent always stands before its children. */
export interface HeapAllocations {
  /** Per node of the heap: the id (not the ordinal) of the trace node that allocated it; 0 where unknown. */
  readonly traceNodeId: Uint32Array;
  readonly functions: readonly AllocationFunction[];
  /** Per trace node: its id in the file, its parent (−1 for the root), index into `functions`, objects and bytes ever allocated. */
  readonly traceId: Uint32Array;
  readonly parent: Int32Array;
  readonly functionOf: Uint32Array;
  readonly allocatedCount: Float64Array;
  readonly allocatedBytes: Float64Array;
}

export interface AllocationFunction {
  readonly name: string;
  readonly scriptName: string;
  readonly scriptId: number;
  /** From 1; 0 where unknown. */
  readonly line: number;
  /** From 1; 0 where unknown. */
  readonly column: number;
}

/** Columns, a row an interval: objects with an id up to `lastAssignedId` existed `timestampUs` after the start. */
export interface HeapSamples {
  readonly count: number;
  readonly timestampUs: Float64Array;
  readonly lastAssignedId: Float64Array;
}
