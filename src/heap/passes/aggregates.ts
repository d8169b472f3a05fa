/**
 * Sums by class: objects, shallow bytes, and what the class retains, where an object under another one of its class
 * counts once (HeapSnapshot.buildAggregates, calculateClassesRetainedSize). Nodes without a size of their own do not count.
 */
import type { HeapClass } from '../model/analysis.ts';
import type { Classes } from './classes.ts';
import type { Dominators } from './dominators.ts';
import { release } from '../model/release.ts';

export function sumByClass(
  { classOf, identities }: Classes,
  { dominator, order, spare }: Dominators,
  shallowSize: Uint32Array | Float64Array,
  retainedSize: Float64Array,
): HeapClass[] {
  const classCount = identities.length;
  const counts = new Float64Array(classCount);
  const shallow = new Float64Array(classCount);
  const retained = new Float64Array(classCount);
  const nodeCount = order.length;

  // Numbers nodes as a walk of the dominator tree meets them: a node's subtree is a range behind it.
  // By node: first how many it dominates with itself; once it has its place, the place of its next child, at last the end.
  const next = new Uint32Array(spare[1], 0, nodeCount).fill(1);
  for (let at = nodeCount - 1; at > 0; at -= 1) {
    const node = order[at] as number;
    const above = dominator[node] as number;
    next[above] = (next[above] as number) + (next[node] as number);
  }
  const nodeAt = new Uint32Array(nodeCount);
  next[0] = 1;
  for (let at = 1; at < nodeCount; at += 1) {
    const node = order[at] as number;
    const above = dominator[node] as number;
    const own = next[above] as number;
    next[above] = own + (next[node] as number);
    next[node] = own + 1;
    nodeAt[own] = node;
  }

  const coveredUpTo = new Uint32Array(classCount);
  for (let at = 0; at < nodeCount; at += 1) {
    const node = nodeAt[at] as number;
    const size = shallowSize[node] as number;
    if (size === 0) continue;
    const own = classOf[node] as number;
    counts[own] = (counts[own] as number) + 1;
    shallow[own] = (shallow[own] as number) + size;
    if (at < (coveredUpTo[own] as number)) continue;
    retained[own] = (retained[own] as number) + (retainedSize[node] as number);
    coveredUpTo[own] = next[node] as number;
  }
  release(nodeAt.buffer);
  return identities.map(({ name, location }, at) => ({
    name,
    location,
    count: counts[at] as number,
    shallowBytes: shallow[at] as number,
    retainedBytes: retained[at] as number,
  }));
}
