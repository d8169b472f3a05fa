/** What the writers of formats without a tree need: the stack of every node, and the nodes that have time of their own. */
import type { CpuProfile } from '../model/profile.ts';

/** Functions of a node's stack, outermost first, without the root. */
export function stackOf({ parent, functionOf }: CpuProfile, node: number): number[] {
  const stack: number[] = [];
  for (let at = node; at > 0; at = parent[at] as number) stack.push(functionOf[at] as number);
  return stack.reverse();
}

export function* listWeighted({ nodeCount, selfUs }: CpuProfile): Generator<number, void, undefined> {
  for (let node = 0; node < nodeCount; node += 1) if ((selfUs[node] as number) > 0) yield node;
}
