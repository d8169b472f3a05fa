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
}

/** Columns, a row a location. Lines and columns count from 0, as V8 writes them. */
export interface HeapLocations {
  readonly count: number;
  readonly node: Uint32Array;
  readonly scriptId: Uint32Array;
  readonly line: Uint32Array;
  readonly column: Uint32Array;
}
