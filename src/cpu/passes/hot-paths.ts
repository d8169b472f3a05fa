/** The stacks that took most time: where a person looks first. */
import type { CpuProfile } from '../model/profile.ts';

export interface HotPath {
  /** Functions from the outermost to the one that ran, as indexes into `functions`; without the root. */
  readonly functions: readonly number[];
  /** Time in exactly this stack. */
  readonly selfUs: number;
}

/** Categories that stand for themselves: their place in the tree says nothing about the program. */
const APART = new Set(['idle', 'gc', 'program']);

/**
 * Up to `count` stacks with the most time of their own, longest first. Equal stacks in several nodes are one; idle time,
 * garbage collection and V8's own bookkeeping are not stacks.
 */
export function listHotPaths(profile: CpuProfile, count: number): HotPath[] {
  const { nodeCount, parent, functionOf, functions, selfUs } = profile;
  const order = Uint32Array.from({ length: nodeCount }, (_, node) => node)
    .filter((node) => (selfUs[node] as number) > 0 && !APART.has(functions[functionOf[node] as number]?.category ?? ''))
    .sort((a, b) => (selfUs[b] as number) - (selfUs[a] as number) || a - b);
  const paths = new Map<string, { functions: number[]; selfUs: number }>();
  // Nodes with the same stack lie near each other in size or are too small to matter: twice as many are enough.
  for (const node of order.subarray(0, count * 2)) {
    const stack: number[] = [];
    for (let at = node; at > 0; at = parent[at] as number) stack.push(functionOf[at] as number);
    const key = stack.join(',');
    const known = paths.get(key);
    if (known === undefined) paths.set(key, { functions: stack.reverse(), selfUs: selfUs[node] as number });
    else known.selfUs += selfUs[node] as number;
  }
  return [...paths.values()].sort((a, b) => b.selfUs - a.selfUs).slice(0, count);
}
