/**
 * Who allocated what is still alive: calls as a tree, bytes at its nodes. Made from a sampling profile (`.heapprofile`) or
 * from the traces of an allocation timeline (`.heaptimeline`).
 */

/** A function and where it was written. */
export interface AllocatingFunction {
  /** `(anonymous)` where it has none; V8's own in parentheses: `(root)`, `(V8 API)`. */
  readonly name: string;
  /** A path or URL; empty for what V8 and Node are made of. */
  readonly scriptName: string;
  readonly scriptId: number;
  /** From 1; 0 where unknown. */
  readonly line: number;
  /** From 1; 0 where unknown. */
  readonly column: number;
}

export interface AllocationTree {
  readonly functions: readonly AllocatingFunction[];
  /** Per node: its parent, which always stands before it; −1 for the root, which is node 0. */
  readonly parent: Int32Array;
  /** Per node: index into `functions`. */
  readonly functionOf: Uint32Array;
  /** Per node: bytes that it, and no callee of it, allocated, and that were alive when the file was written. */
  readonly selfBytes: Float64Array;
  /** Per node: how many objects that were; null where the format does not count them. */
  readonly selfCount: Float64Array | null;
}
