/**
 * The tree from below: its first row are labels by their own weight, and under each stand those that called it, by what
 * they account for. Recursion stays visible, as a caller of the same name.
 */
import type { FlameTree } from './model.ts';

export interface InvertedTree {
  readonly tree: FlameTree;
  /** Weights of the frames; they are not sums of their children, because callers may end earlier. */
  readonly total: Float64Array;
  readonly totalBefore: Float64Array | null;
  /** Branches that were not followed further, because they weigh no more than `leastShare`. */
  readonly cutCount: number;
}

/** Nodes of the tree that lead to one frame, each with where it has got to on its way to the root. */
interface Branch {
  readonly frame: number;
  readonly at: number[];
  readonly weight: number[];
  readonly before: number[];
}

/**
 * Callers are followed while a branch weighs more than `leastShare` of the whole (on either side): without a bound, a
 * deep tree is turned into one that is as large as the sum of its depths.
 */
export function invertTree(tree: FlameTree, leastShare: number): InvertedTree {
  const parent: number[] = [-1];
  const labelOf: number[] = [tree.labelOf[0] ?? 0];
  const total: number[] = [0];
  const totalBefore: number[] = [0];
  const root: Branch = { frame: 0, at: [], weight: [], before: [] };
  let sum = 0;
  let sumBefore = 0;
  for (let node = 0; node < tree.count; node += 1) {
    const weight = tree.self[node] as number;
    const before = tree.selfBefore?.[node] ?? 0;
    sum += weight;
    sumBefore += before;
    if (node === 0 || (weight <= 0 && before <= 0)) continue;
    root.at.push(node);
    root.weight.push(weight);
    root.before.push(before);
  }
  total[0] = sum;
  totalBefore[0] = sumBefore;
  let cutCount = 0;
  const queue: Branch[] = [root];
  for (let branch = queue.pop(); branch !== undefined; branch = queue.pop()) {
    for (const below of splitByLabel(tree, branch)) {
      const frame = parent.length;
      parent.push(branch.frame);
      labelOf.push(below.label);
      total.push(below.total);
      totalBefore.push(below.totalBefore);
      if (below.total <= leastShare * sum && below.totalBefore <= leastShare * sumBefore) {
        cutCount += 1;
        continue;
      }
      const next = stepUp(tree, below.branch, frame);
      if (next.at.length > 0) queue.push(next);
    }
  }
  const count = parent.length;
  return {
    tree: {
      count,
      parent: Int32Array.from(parent),
      labelOf: Uint32Array.from(labelOf),
      // The first row is what has weight of its own; callers only pass it on.
      self: Float64Array.from(total, (weight, frame) => (parent[frame] === 0 ? weight : 0)),
      selfBefore:
        tree.selfBefore === null
          ? null
          : Float64Array.from(totalBefore, (weight, frame) => (parent[frame] === 0 ? weight : 0)),
    },
    total: Float64Array.from(total),
    totalBefore: tree.selfBefore === null ? null : Float64Array.from(totalBefore),
    cutCount,
  };
}

interface LabelBranch {
  readonly label: number;
  readonly branch: Branch;
  total: number;
  totalBefore: number;
}

function splitByLabel(tree: FlameTree, branch: Branch): Iterable<LabelBranch> {
  const byLabel = new Map<number, LabelBranch>();
  for (let index = 0; index < branch.at.length; index += 1) {
    const node = branch.at[index] as number;
    const label = tree.labelOf[node] as number;
    let group = byLabel.get(label);
    if (group === undefined) {
      group = { label, branch: { frame: 0, at: [], weight: [], before: [] }, total: 0, totalBefore: 0 };
      byLabel.set(label, group);
    }
    group.branch.at.push(node);
    group.branch.weight.push(branch.weight[index] as number);
    group.branch.before.push(branch.before[index] as number);
    group.total += branch.weight[index] as number;
    group.totalBefore += branch.before[index] as number;
  }
  return byLabel.values();
}

/** One step towards the root; those that have met become one. The root itself calls nothing by name and ends the way. */
function stepUp(tree: FlameTree, branch: Branch, frame: number): Branch {
  const slots = new Map<number, number>();
  const next: Branch = { frame, at: [], weight: [], before: [] };
  for (let index = 0; index < branch.at.length; index += 1) {
    const caller = tree.parent[branch.at[index] as number] as number;
    if (caller <= 0) continue;
    const slot = slots.get(caller);
    if (slot === undefined) {
      slots.set(caller, next.at.length);
      next.at.push(caller);
      next.weight.push(branch.weight[index] as number);
      next.before.push(branch.before[index] as number);
    } else {
      next.weight[slot] = (next.weight[slot] as number) + (branch.weight[index] as number);
      next.before[slot] = (next.before[slot] as number) + (branch.before[index] as number);
    }
  }
  return next;
}
