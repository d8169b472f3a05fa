/** The dominator tree from above: what each node dominates immediately. Built when first asked for. */
import type { HeapAnalysis } from '../model/analysis.ts';

export interface Dominated {
  /** `nodeCount + 1` entries: children of node n are `node[first[n]]` up to `node[first[n + 1]]`, by ordinal. */
  readonly first: Uint32Array;
  readonly node: Uint32Array;
}

const built = new WeakMap<HeapAnalysis, Dominated>();

/** 8 bytes a node; kept for as long as the analysis is. The root is nobody's child. */
export function findDominated(analysis: HeapAnalysis): Dominated {
  const known = built.get(analysis);
  if (known !== undefined) return known;
  const { dominator } = analysis;
  const nodeCount = dominator.length;
  const first = new Uint32Array(nodeCount + 1);
  for (let node = 1; node < nodeCount; node += 1) {
    const above = (dominator[node] as number) + 1;
    first[above] = (first[above] as number) + 1;
  }
  for (let node = 0; node < nodeCount; node += 1)
    first[node + 1] = (first[node + 1] as number) + (first[node] as number);
  const fill = first.slice(0, nodeCount);
  const children = new Uint32Array(Math.max(nodeCount - 1, 0));
  for (let node = 1; node < nodeCount; node += 1) {
    const above = dominator[node] as number;
    const place = fill[above] as number;
    children[place] = node;
    fill[above] = place + 1;
  }
  const dominated = { first, node: children };
  built.set(analysis, dominated);
  return dominated;
}
