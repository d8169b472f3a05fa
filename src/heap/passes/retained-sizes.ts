/** Retained sizes: each node's shallow size and those of everything it dominates. */
import type { Dominators } from './dominators.ts';

export function sumRetainedSizes(
  { dominator, order, spare }: Dominators,
  shallowSize: Uint32Array | Float64Array,
): Float64Array {
  const retained = new Float64Array(spare[0], 0, shallowSize.length);
  retained.set(shallowSize);
  // Preorder backwards: all that a node dominates comes before the node.
  for (let at = order.length - 1; at > 0; at -= 1) {
    const node = order[at] as number;
    const above = dominator[node] as number;
    retained[above] = (retained[above] as number) + (retained[node] as number);
  }
  return retained;
}
