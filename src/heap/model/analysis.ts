/** What the passes find out about a snapshot; all of it equal to what Chrome DevTools shows for the same file. */
import type { HeapGraph } from './graph.ts';

/** A class as DevTools groups objects: by name, and for objects by where their constructor is as well. */
export interface HeapClass {
  /** `Map`, `Function`, `(string)`, `(compiled code)`, `Detached Foo`, or `{a, b}` for plain objects of one shape. */
  readonly name: string;
  /** Where its constructor was written; null where V8 does not say. Lines and columns count from 0. */
  readonly location: { readonly scriptId: number; readonly line: number; readonly column: number } | null;
  /** Objects with a shallow size above zero. */
  readonly count: number;
  /** Sum of their shallow sizes, what they own included. */
  readonly shallowBytes: number;
  /** What they keep alive together; an object that is dominated by another one of its class counts once. */
  readonly retainedBytes: number;
}

/** Distances from here on up are those of objects that only V8 or Node itself reaches, not the program's globals. */
export const SYSTEM_DISTANCE = 100_000_000;
/** The distance of what cannot be reached at all. */
export const NO_DISTANCE = -5;

export interface HeapAnalysis {
  readonly graph: HeapGraph;
  /** Everything in the snapshot: what the root retains, and `extraNativeBytes`. */
  readonly totalBytes: number;
  /** Per node, bytes, with the arrays and hidden objects merged that only it holds (those are zero then). */
  readonly shallowSize: Uint32Array | Float64Array;
  /** Per node, bytes that would be free without it. */
  readonly retainedSize: Float64Array;
  /** Per node: edges from the nearest of the program's globals; see `SYSTEM_DISTANCE` and `NO_DISTANCE`. */
  readonly distance: Int32Array;
  /** Per node: its immediate dominator, the nearest node that every path from the root goes through; the root's own is 0. */
  readonly dominator: Uint32Array;
  /** Per node: index into `classes`. */
  readonly classOf: Uint32Array;
  readonly classes: readonly HeapClass[];
  /** Which edges keep what they lead to alive. */
  readonly edgeRules: EdgeRules;
}

/** The rules for edges that retain: not weak, not the node's own, not a shortcut, not into the program from outside of it. */
export interface EdgeRules {
  /** Per node: 1 where it is reachable from the program's globals. */
  readonly isUser: Uint8Array;
  /** Does the edge `edge` of node `from` keep its target alive? */
  retains(from: number, edge: number): boolean;
}
