/**
 * Allocations by function: bytes of its own and with everything it called, each function once however often it stands in
 * the tree, recursion not counted twice; and the heaviest way that leads to it.
 */
import type { AllocatingFunction, AllocationTree } from '../model/allocation-tree.ts';

export interface AllocationSite extends AllocatingFunction {
  /** Bytes alive that it allocated itself. */
  readonly selfBytes: number;
  /** With those that its callees allocated. */
  readonly totalBytes: number;
  /** Objects alive that it allocated itself; null where the format does not count them. */
  readonly count: number | null;
  /** Callers on the heaviest path to it, nearest first; without V8's own. */
  readonly callers: readonly AllocatingFunction[];
}

const MOST_CALLERS = 20;

/** All functions that allocated something that is alive, themselves or in a callee; most of their own first. */
export const listAllocationSites = (tree: AllocationTree): AllocationSite[] => {
  const { functions, parent, functionOf, selfBytes, selfCount } = tree;
  const total = sumTotals(tree);
  const own = new Float64Array(functions.length);
  const count = new Float64Array(functions.length);
  const heaviestNode = new Int32Array(functions.length).fill(-1);
  for (let node = 0; node < parent.length; node++) {
    const at = functionOf[node]!;
    own[at]! += selfBytes[node]!;
    if (selfCount !== null) count[at]! += selfCount[node]!;
    const heaviest = heaviestNode[at]!;
    if (heaviest === -1 || selfBytes[node]! > selfBytes[heaviest]!) heaviestNode[at] = node;
  }
  const sites: AllocationSite[] = [];
  for (const [at, each] of functions.entries()) {
    // The root is the file's, and calls everything.
    if (total[at] === 0 || each.name === '(root)') continue;
    sites.push({
      ...each,
      name: each.name === '' ? '(anonymous)' : each.name,
      selfBytes: own[at]!,
      totalBytes: total[at]!,
      count: selfCount === null ? null : count[at]!,
      callers: listCallers(tree, heaviestNode[at]!),
    });
  }
  return sites.sort((one, two) => two.selfBytes - one.selfBytes || (one.name < two.name ? -1 : 1));
};

/** Per function: bytes of all nodes below its outermost appearances. */
const sumTotals = ({ functions, parent, functionOf, selfBytes }: AllocationTree): Float64Array => {
  const below = Float64Array.from(selfBytes);
  // A parent stands before its children, so the last node is a leaf.
  for (let node = parent.length - 1; node > 0; node--) below[parent[node]!]! += below[node]!;
  const total = new Float64Array(functions.length);
  // Nodes in their order are a walk in preorder: what is open above a node is on a stack.
  const openCalls = new Uint32Array(functions.length);
  const stack: number[] = [];
  for (let node = 0; node < parent.length; node++) {
    while (stack.length > 0 && stack.at(-1) !== parent[node]) openCalls[functionOf[stack.pop()!]!]!--;
    const at = functionOf[node]!;
    if (openCalls[at] === 0) total[at]! += below[node]!;
    openCalls[at]!++;
    stack.push(node);
  }
  return total;
};

const listCallers = ({ functions, parent, functionOf }: AllocationTree, node: number): AllocatingFunction[] => {
  const callers: AllocatingFunction[] = [];
  for (let at = parent[node] ?? -1; at > 0 && callers.length < MOST_CALLERS; at = parent[at]!) {
    const caller = functions[functionOf[at]!]!;
    if (caller.scriptName !== '') callers.push(caller);
  }
  return callers;
};
