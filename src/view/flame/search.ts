/** Which labels and frames a search finds, and what share of the whole lies in them. */
import type { FlameLayout } from './layout.ts';
import type { FlameLabel } from './model.ts';

export interface Matches {
  /** Per label, 1 where it is found. */
  readonly label: Uint8Array;
  /** Frames that are found, in the order of the layout. */
  readonly frames: Uint32Array;
  readonly labelCount: number;
  /** Of the width of the whole that frames found cover; one inside another counts once. 0 to 1. */
  readonly share: number;
}

/**
 * A test for names and places: `/…/` and `/…/i` are regular expressions, everything else is text, in which case matters
 * once it has a capital. Null for a search for nothing; an expression that does not parse comes back as its error.
 */
export function compileSearch(query: string): ((text: string) => boolean) | null | { readonly error: string } {
  if (query === '') return null;
  const expression = /^\/(.+)\/([a-z]*)$/s.exec(query);
  if (expression !== null) {
    try {
      // Without `g` and `y`, which would make each test depend on the one before.
      const pattern = new RegExp(expression[1] as string, (expression[2] as string).replaceAll(/[gy]/g, ''));
      return (text) => pattern.test(text);
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }
  if (query !== query.toLowerCase()) return (text) => text.includes(query);
  return (text) => text.toLowerCase().includes(query);
}

export function findMatches(
  layout: FlameLayout,
  labels: readonly FlameLabel[],
  matches: (text: string) => boolean,
): Matches {
  const label = new Uint8Array(labels.length);
  let labelCount = 0;
  for (const [index, { name, file }] of labels.entries()) {
    if (!matches(name) && !matches(file)) continue;
    label[index] = 1;
    labelCount += 1;
  }
  const isInside = new Uint8Array(layout.count);
  const frames: number[] = [];
  let covered = 0;
  // Rows follow each other, so that a frame's parent has been seen before it.
  for (let frame = 0; frame < layout.count; frame += 1) {
    const above = layout.parent[frame] as number;
    const isBelowMatch = above >= 0 && isInside[above] === 1;
    const isMatch = label[layout.labelOf[frame] as number] === 1;
    if (isMatch) {
      frames.push(frame);
      if (!isBelowMatch) covered += (layout.end[frame] as number) - (layout.start[frame] as number);
    }
    if (isMatch || isBelowMatch) isInside[frame] = 1;
  }
  return {
    label,
    frames: Uint32Array.from(frames),
    labelCount,
    share: layout.extent > 0 ? covered / layout.extent : 0,
  };
}
