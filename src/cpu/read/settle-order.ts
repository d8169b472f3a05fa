/**
 * Puts samples in order of time where a few are out of it, as V8 leaves them: each moves back to its place, over the few
 * that overtook it, in the memory that the columns have. A profile of 500 MB must not take three times its size for one
 * late sample.
 */

/** Moves per sample, on average, before a sort is the better way. */
const MOST_MOVES = 8;
const HIGHEST = 2 ** 31 - 1;
const LOWEST = -(2 ** 31);

/**
 * `deltas[i]` is the time from sample i−1 to sample i; of its `deltaCount` entries one more than samples is the end of the
 * last. Returns false where the disorder is too great or a number would not fit; what both columns say is the same then,
 * in an order that is nearer to that of time.
 */
export function settleOrder(node: Uint32Array, deltas: Int32Array | Float64Array, deltaCount: number): boolean {
  const count = node.length;
  const isNarrow = deltas instanceof Int32Array;
  let moves = count * MOST_MOVES + 1_000;
  for (let late = 1; late < count; late += 1) {
    const gap = deltas[late] as number;
    if (gap >= 0) continue;
    // How much earlier it was than the sample at `place`, which it has to stand before.
    let lead = -gap;
    let place = late - 1;
    while (place > 0 && lead > (deltas[place] as number)) {
      lead -= deltas[place] as number;
      place -= 1;
    }
    const next = late + 1 < deltaCount ? (deltas[late + 1] as number) + gap : 0;
    moves -= late - place;
    if (moves < 0 || (isNarrow && (lead > HIGHEST || next < LOWEST))) return false;
    const moved = node[late] as number;
    const before = place === 0 ? 0 : (deltas[place] as number) - lead;
    node.copyWithin(place + 1, place, late);
    deltas.copyWithin(place + 1, place, late);
    node[place] = moved;
    deltas[place] = before;
    deltas[place + 1] = lead;
    if (late + 1 < deltaCount) deltas[late + 1] = next;
  }
  return true;
}
