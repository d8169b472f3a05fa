/** Sums by label for what is in sight: the table that says the same as the picture. */
import type { FlameLayout } from './layout.ts';
import { childrenOf } from './find-frame.ts';

export interface HotLabel {
  readonly label: number;
  readonly self: number;
  /** Recursion counted once. */
  readonly total: number;
  readonly selfBefore: number;
  readonly totalBefore: number;
}

/**
 * Sums over `frame` and everything below it. For a tree of calls and for frames in time; a tree of callers has no
 * weights of its own below its first row.
 */
export function sumByLabel(layout: FlameLayout, frame: number, labelCount: number): HotLabel[] {
  const self = new Float64Array(labelCount);
  const total = new Float64Array(labelCount);
  const selfBefore = new Float64Array(labelCount);
  const totalBefore = new Float64Array(labelCount);
  /** How many frames of the label are open on the way down to here. */
  const open = new Uint32Array(labelCount);
  const isSeen = new Uint8Array(labelCount);
  const stack: number[] = [frame];
  while (stack.length > 0) {
    const at = stack.pop() as number;
    // The way back up: `~frame`, left behind on the way down.
    if (at < 0) {
      const label = layout.labelOf[~at] as number;
      open[label] = (open[label] as number) - 1;
      continue;
    }
    const label = layout.labelOf[at] as number;
    isSeen[label] = 1;
    self[label] = (self[label] as number) + (layout.self[at] as number);
    selfBefore[label] = (selfBefore[label] as number) + (layout.selfBefore?.[at] ?? 0);
    if (open[label] === 0) {
      total[label] = (total[label] as number) + (layout.total[at] as number);
      totalBefore[label] = (totalBefore[label] as number) + (layout.totalBefore?.[at] ?? 0);
    }
    open[label] = (open[label] as number) + 1;
    stack.push(~at);
    const [from, to] = childrenOf(layout, at);
    for (let child = from; child < to; child += 1) stack.push(child);
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
