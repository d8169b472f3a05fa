/** Finds frames of a layout by place: halving within a row, so that a hit costs the same in a graph of any size. */
import type { FlameLayout } from './layout.ts';

/** The first frame of `row` that ends beyond `x`; the end of the row where there is none. */
export function firstEndingAfter(layout: FlameLayout, row: number, x: number): number {
  let low = layout.rowStart[row] as number;
  let high = layout.rowStart[row + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((layout.end[middle] as number) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** As `firstEndingAfter`, for places that are mostly near: doubles its steps before it halves them. */
export function nextEndingAfter(layout: FlameLayout, row: number, x: number, from: number): number {
  const rowEnd = layout.rowStart[row + 1] as number;
  let low = from;
  let step = 1;
  while (low + step < rowEnd && (layout.end[low + step] as number) <= x) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, rowEnd);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((layout.end[middle] as number) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The frame at `x` in `row`; −1 where there is none. */
export function findFrame(layout: FlameLayout, row: number, x: number): number {
  if (row < 0 || row >= layout.rowCount) return -1;
  const frame = firstEndingAfter(layout, row, x);
  return frame < (layout.rowStart[row + 1] as number) && (layout.start[frame] as number) <= x ? frame : -1;
}

/** Frames below `frame` in the next row, as a range; empty (`[n, n]`) where there are none. */
export function childrenOf(layout: FlameLayout, frame: number): readonly [from: number, to: number] {
  const row = (layout.depth[frame] as number) + 1;
  if (row >= layout.rowCount) return [layout.count, layout.count];
  const rowEnd = layout.rowStart[row + 1] as number;
  let low = layout.rowStart[row] as number;
  let high = rowEnd;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((layout.parent[middle] as number) >= frame) high = middle;
    else low = middle + 1;
  }
  let to = low;
  while (to < rowEnd && layout.parent[to] === frame) to += 1;
  return [low, to];
}
