/** Sums by label for what is in sight: the table that says the same as the picture. */
import { childrenOf } from './find-frame.ts';
import type { FlameLayout } from './layout.ts';
import type { FlameLabel } from './model.ts';

export interface HotLabel {
  readonly label: number;
  readonly self: number;
  /** Recursion counted once. */
  readonly total: number;
  readonly selfBefore: number;
  readonly totalBefore: number;
}

/** Frames between two chances to stop: a fraction of a millisecond. */
const FRAMES_A_STEP = 1000;

/**
 * Sums over the frames between `start` and `end` (in the unit of the layout), of those at the edges the part that is
 * inside. For trees of calls and for frames in time; a tree of callers has weights of its own in its first row only. Step
 * by step: over 100,000 frames it takes longer than a picture may.
 */
export function* stepSumByLabel(
  layout: FlameLayout,
  start: number,
  end: number,
  labelCount: number,
): Generator<undefined, HotLabel[], undefined> {
  const self = new Float64Array(labelCount);
  const total = new Float64Array(labelCount);
  const selfBefore = new Float64Array(labelCount);
  const totalBefore = new Float64Array(labelCount);
  /** How many frames of the label are open on the way down to here. */
  const open = new Uint32Array(labelCount);
  const isSeen = new Uint8Array(labelCount);
  const add = (sums: Float64Array, label: number, value: number): void => {
    sums[label] = (sums[label] as number) + value;
  };
  const inside = (frame: number): number =>
    Math.max(0, Math.min(end, layout.end[frame] as number) - Math.max(start, layout.start[frame] as number));
  const stack: number[] = [];
  const firstRowEnd = layout.rowStart[1] ?? 0;
  for (let frame = 0; frame < firstRowEnd; frame += 1) if (inside(frame) > 0) stack.push(frame);
  for (let step = 1; stack.length > 0; step += 1) {
    if (step % FRAMES_A_STEP === 0) yield;
    const frame = stack.pop() as number;
    // The way back up: `~frame`, left behind on the way down.
    if (frame < 0) {
      const label = layout.labelOf[~frame] as number;
      open[label] = (open[label] as number) - 1;
      continue;
    }
    const label = layout.labelOf[frame] as number;
    isSeen[label] = 1;
    const width = (layout.end[frame] as number) - (layout.start[frame] as number);
    const visible = inside(frame);
    const portion = visible / width;
    if (open[label] === 0) {
      add(total, label, (layout.total[frame] as number) * portion);
      add(totalBefore, label, (layout.totalBefore?.[frame] ?? 0) * portion);
    }
    open[label] = (open[label] as number) + 1;
    stack.push(~frame);
    let ownWidth = width;
    let ownVisible = visible;
    const [from, to] = childrenOf(layout, frame);
    for (let child = from; child < to; child += 1) {
      const visibleChild = inside(child);
      ownWidth -= (layout.end[child] as number) - (layout.start[child] as number);
      ownVisible -= visibleChild;
      if (visibleChild > 0) stack.push(child);
    }
    // Rounding leaves a crumb where there should be nothing.
    const ownPortion = ownWidth > width * 1e-12 ? Math.min(1, Math.max(0, ownVisible / ownWidth)) : portion;
    add(self, label, (layout.self[frame] as number) * ownPortion);
    add(selfBefore, label, (layout.selfBefore?.[frame] ?? 0) * ownPortion);
  }
  const found: HotLabel[] = [];
  for (let label = 0; label < labelCount; label += 1) {
    if (isSeen[label] === 0) continue;
    found.push({
      label,
      self: self[label] as number,
      total: total[label] as number,
      selfBefore: selfBefore[label] as number,
      totalBefore: totalBefore[label] as number,
    });
  }
  return found;
}

/** Sums over everything, also over what has no width on the side that is shown, and over what was merged for the page. */
export const sumWhole = (labels: readonly FlameLabel[]): HotLabel[] =>
  labels.flatMap(({ self, total, change }, label) => {
    const { selfBefore, totalBefore } = change ?? { selfBefore: 0, totalBefore: 0 };
    return total > 0 || totalBefore > 0 ? [{ label, self, total, selfBefore, totalBefore }] : [];
  });

/** The first `count` by `keyOf`, the largest first; one pass, whatever there is. */
export function largestBy<Item>(items: readonly Item[], count: number, keyOf: (item: Item) => number): Item[] {
  const kept: { readonly item: Item; readonly key: number }[] = [];
  for (const item of items) {
    const key = keyOf(item);
    const last = kept.at(-1);
    if (kept.length === count && last !== undefined && key <= last.key) continue;
    let at = kept.length;
    while (at > 0 && (kept[at - 1]?.key ?? 0) < key) at -= 1;
    kept.splice(at, 0, { item, key });
    if (kept.length > count) kept.pop();
  }
  return kept.map(({ item }) => item);
}
