/**
 * Makes a tree small enough for a page: branches that would be thinner than a hair become one "smaller" frame beside
 * their siblings, so that all sums stay what they were. What was merged is counted, for the page to say it.
 */
import { sumTotals, type FlameTimeline, type FlameTree } from './model.ts';

export interface PruneOptions {
  /** Branches below this share of the whole, on both sides, are merged. 0 merges none. */
  readonly leastShare: number;
  /** At most about so many frames; the smallest branches go first. */
  readonly mostFrames: number;
  /** Label of the merged frames. */
  readonly smallerLabel: number;
}

export interface Pruned {
  /** In preorder. */
  readonly tree: FlameTree;
  /** Per node of the old tree its place in the new one; those of a merged branch are all in its one frame. */
  readonly placeOf: Uint32Array;
  /** Nodes that were merged, and the share of the whole from which on a branch was kept. */
  readonly mergedCount: number;
  readonly leastShare: number;
}

export function pruneTree(tree: FlameTree, { leastShare, mostFrames, smallerLabel }: PruneOptions): Pruned {
  const shareOf = largestShares(tree);
  let least = leastShare;
  if (tree.count > mostFrames) least = Math.max(least, shareOf.slice().sort()[tree.count - mostFrames] as number);
  const { firstChild, nextSibling } = linkChildren(tree);
  const parent: number[] = [];
  const labelOf: number[] = [];
  const self: number[] = [];
  const selfBefore: number[] = [];
  const placeOf = new Uint32Array(tree.count);
  /** The merged frame below a new node, where it has one. */
  const smallerBelow = new Map<number, number>();
  let mergedCount = 0;
  const add = (above: number, label: number): number => {
    parent.push(above);
    labelOf.push(label);
    self.push(0);
    selfBefore.push(0);
    return parent.length - 1;
  };
  const stack = tree.count === 0 ? [] : [0];
  const isMerged = new Uint8Array(tree.count);
  while (stack.length > 0) {
    const node = stack.pop() as number;
    const above = node === 0 ? -1 : (tree.parent[node] as number);
    let place: number;
    if (above >= 0 && isMerged[above] === 1) {
      place = placeOf[above] as number;
      isMerged[node] = 1;
    } else if (above >= 0 && (shareOf[node] as number) < least) {
      const newAbove = placeOf[above] as number;
      place = smallerBelow.get(newAbove) ?? add(newAbove, smallerLabel);
      smallerBelow.set(newAbove, place);
      isMerged[node] = 1;
    } else {
      place = add(above < 0 ? -1 : (placeOf[above] as number), tree.labelOf[node] as number);
    }
    mergedCount += isMerged[node] as number;
    placeOf[node] = place;
    self[place] = (self[place] as number) + (tree.self[node] as number);
    selfBefore[place] = (selfBefore[place] as number) + (tree.selfBefore?.[node] ?? 0);
    for (let child = firstChild[node] as number; child > 0; child = nextSibling[child] as number) stack.push(child);
  }
  return {
    tree: {
      count: parent.length,
      parent: Int32Array.from(parent),
      labelOf: Uint32Array.from(labelOf),
      self: Float64Array.from(self),
      selfBefore: tree.selfBefore === null ? null : Float64Array.from(selfBefore),
    },
    placeOf,
    mergedCount,
    leastShare: least,
  };
}

/** Per node the larger of its shares, of the one whole and of the other. */
function largestShares(tree: FlameTree): Float64Array {
  const totals = sumTotals(tree.parent, tree.self);
  const before = tree.selfBefore === null ? null : sumTotals(tree.parent, tree.selfBefore);
  const whole = totals[0] || 1;
  const wholeBefore = before?.[0] || 1;
  return totals.map((total, node) => Math.max(total / whole, (before?.[node] ?? 0) / wholeBefore));
}

/** 0, which is nobody's child, ends a list. */
function linkChildren({ count, parent }: FlameTree): { firstChild: Uint32Array; nextSibling: Uint32Array } {
  const firstChild = new Uint32Array(count);
  const nextSibling = new Uint32Array(count);
  for (let node = count - 1; node > 0; node -= 1) {
    const above = parent[node] as number;
    nextSibling[node] = firstChild[above] as number;
    firstChild[above] = node;
  }
  return { firstChild, nextSibling };
}

/** Spans with places of the pruned tree: neighbours in the same place become one, and of more than `mostSpans` the shortest give way. */
export function pruneTimeline(
  count: number,
  nodeAt: (index: number) => number,
  durationAt: (index: number) => number,
  placeOf: Uint32Array,
  mostSpans: number,
): { readonly timeline: FlameTimeline; readonly slotDuration: number } {
  const joined = joinSpans(count, nodeAt, durationAt, placeOf, 0);
  if (joined.count <= mostSpans) return { timeline: joined, slotDuration: 0 };
  let whole = 0;
  for (const duration of joined.duration) whole += duration;
  const slotDuration = whole / mostSpans;
  return { timeline: joinSpans(count, nodeAt, durationAt, placeOf, slotDuration), slotDuration };
}

/** With `slotDuration`, each slot of time shows what ran longest in it. */
function joinSpans(
  count: number,
  nodeAt: (index: number) => number,
  durationAt: (index: number) => number,
  placeOf: Uint32Array,
  slotDuration: number,
): FlameTimeline {
  const node: number[] = [];
  const duration: number[] = [];
  const push = (place: number, length: number): void => {
    if (node.at(-1) === place) duration[duration.length - 1] = (duration.at(-1) as number) + length;
    else {
      node.push(place);
      duration.push(length);
    }
  };
  let collected = 0;
  const inSlot = new Map<number, number>();
  const closeSlot = (): void => {
    let longest = -1;
    let place = 0;
    for (const [candidate, length] of inSlot) if (length > longest) [place, longest] = [candidate, length];
    if (collected > 0) push(place, collected);
    inSlot.clear();
    collected = 0;
  };
  for (let index = 0; index < count; index += 1) {
    const place = placeOf[nodeAt(index)] as number;
    const length = durationAt(index);
    if (!(length > 0)) continue;
    if (slotDuration === 0) push(place, length);
    else {
      inSlot.set(place, (inSlot.get(place) ?? 0) + length);
      collected += length;
      if (collected >= slotDuration) closeSlot();
    }
  }
  closeSlot();
  return { count: node.length, node: Uint32Array.from(node), duration: Float64Array.from(duration) };
}
