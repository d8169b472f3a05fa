/** Bytes that hang from each node of the ownership tree, its own included. */
import type { Territory } from '../compare/territory.ts';

export function sumOwned({ reading, ownership }: Pick<Territory, 'reading' | 'ownership'>): Float64Array {
  const { graph } = reading;
  const { order, parent } = ownership;
  const owned = new Float64Array(graph.nodeCount);
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as number;
    owned[node] = (owned[node] as number) + (graph.selfSize[node] as number);
    const owner = parent[node] as number;
    if (owner !== node) owned[owner] = (owned[owner] as number) + owned[node];
  }
  return owned;
}
