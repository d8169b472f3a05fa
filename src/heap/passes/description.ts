/**
 * Half of the passes, which need nothing of the other half: what nodes are called, how large each is and how far away. They
 * run in a thread of their own beside the dominators where the graph is large (see `description-thread.ts`).
 */
import type { HeapGraph } from '../model/graph.ts';
import { type Classes, findClasses } from './classes.ts';
import { findDetached } from './detached.ts';
import { findDistances } from './distances.ts';
import { mergeShallowSizes } from './shallow-sizes.ts';
import type { WeakMapNames } from './weak-map-edges.ts';

export interface Description extends Classes {
  readonly shallowSize: Uint32Array | Float64Array;
  readonly distance: Int32Array;
}

export function describeNodes(graph: HeapGraph, weakMaps: WeakMapNames): Description {
  const detached = findDetached(graph);
  // The same memory three times, one pass after the other.
  const scratch = new Uint32Array(graph.nodeCount);
  const shallowSize = mergeShallowSizes(graph, (node) => detached.has(node), scratch);
  const distance = findDistances(graph, weakMaps, scratch);
  return { ...findClasses(graph, detached, scratch), shallowSize, distance };
}
