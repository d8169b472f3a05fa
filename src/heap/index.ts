/** `drover/heap`: reads heap snapshots of any size, compares them, and says what leaks, where, and what to do. */
export {
  EDGE,
  EDGE_TYPE_NAMES,
  type EdgeTypeName,
  NODE,
  NODE_TYPE_NAMES,
  type NodeTypeName,
} from './model/node-types.ts';
export type { HeapGraph, HeapLocations, HeapStrings } from './model/graph.ts';
export { BadFile } from '../input/index.ts';
export {
  type Growth,
  type HeapAnswer,
  type HeapSuspect,
  type HeapVerdict,
  type Holder,
  LEAK_PATTERNS,
  type LeakPattern,
  type PathStep,
  type SourceLocation,
} from './judge/verdict.ts';
