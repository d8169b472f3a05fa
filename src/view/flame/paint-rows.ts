/**
 * The picture of a layout as one line of pixels a row: a row of a flame graph looks the same at every height, so that a
 * line is all there is to compute, and the canvas stretches it. A line costs its pixels: frames thinner than one become
 * blocks, and the next that matters is found by halving.
 */
import { nextEndingAfter, firstEndingAfter } from './find-frame.ts';
import type { FlameLayout } from './layout.ts';

/** Frames that are wide enough for text or a pattern, as they were painted. Columns are kept and used again. */
export interface WideFrames {
  count: number;
  frame: Uint32Array;
  /** Device pixels. */
  left: Float32Array;
  right: Float32Array;
}

export const makeWideFrames = (): WideFrames => ({
  count: 0,
  frame: new Uint32Array(1024),
  left: new Float32Array(1024),
  right: new Float32Array(1024),
});

export interface LineOptions {
  /** Place in the palette by frame. */
  readonly swatchOf: Uint8Array;
  /** Four pixels a swatch, as a `Theme` has them. */
  readonly pixels: Uint32Array;
  /** By label, 1 where a search has found it; null without a search: then nothing is dimmed. */
  readonly isFound: Uint8Array | null;
  /** Frames of at least so many device pixels are collected. */
  readonly wideFrom: number;
}

/** From this width on a frame has a line of the page's colour to its right; below it would be more line than frame. */
const SEPARATED_FROM = 4;

/** Paints `row`, `start` to `start + span` of it, over `line`, which is cleared. */
export function paintLine(
  layout: FlameLayout,
  row: number,
  start: number,
  span: number,
  line: Uint32Array,
  wide: WideFrames,
  options: LineOptions,
): void {
  line.fill(0);
  const width = line.length;
  const scale = width / span;
  const rowEnd = layout.rowStart[row + 1] as number;
  const viewEnd = start + span;
  let frame = firstEndingAfter(layout, row, start);
  let free = 0;
  while (frame < rowEnd && (layout.start[frame] as number) < viewEnd) {
    const left = ((layout.start[frame] as number) - start) * scale;
    const right = ((layout.end[frame] as number) - start) * scale;
    const from = Math.max(free, Math.max(0, Math.round(left)));
    const to = Math.min(width, Math.round(right));
    if (to - from >= 1) {
      const isSeparated = to - from >= SEPARATED_FROM && to < width;
      line.fill(pixelOf(layout, frame, options), from, isSeparated ? to - 1 : to);
      free = to;
      if (right - left >= options.wideFrom) collect(wide, frame, left, right);
      frame += 1;
      continue;
    }
    // Too thin for a pixel of its own: with all that end within the same pixel it shares one.
    const pixel = Math.min(width - 1, Math.max(0, Math.floor(left)));
    if (pixel >= free) {
      line[pixel] = pixelOf(layout, frame, options);
      free = pixel + 1;
    }
    frame = nextEndingAfter(layout, row, start + Math.max(pixel + 1, free) / scale, frame + 1);
  }
}

function pixelOf(layout: FlameLayout, frame: number, { swatchOf, pixels, isFound }: LineOptions): number {
  const isDimmed = isFound !== null && isFound[layout.labelOf[frame] as number] === 0;
  return pixels[(swatchOf[frame] as number) * 4 + (frame & 1) + (isDimmed ? 2 : 0)] as number;
}

function collect(wide: WideFrames, frame: number, left: number, right: number): void {
  const at = wide.count;
  if (at === wide.frame.length) {
    wide.frame = enlarge(wide.frame, new Uint32Array(at * 2));
    wide.left = enlarge(wide.left, new Float32Array(at * 2));
    wide.right = enlarge(wide.right, new Float32Array(at * 2));
  }
  wide.frame[at] = frame;
  wide.left[at] = left;
  wide.right[at] = right;
  wide.count = at + 1;
}

function enlarge<Column extends Uint32Array | Float32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
