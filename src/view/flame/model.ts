/**
 * What a flame graph is made of, whoever made it: a tree of weights over labels, and, where there is an order in time,
 * what ran when. Both sides of a standalone page speak this, the one that writes it and the one in the browser.
 */

/** A colour class of labels, as the legend shows it. */
export interface FlameGroup {
  readonly name: string;
  /** Place in the palette (`SWATCH_COUNT` of them). */
  readonly swatch: number;
}

/** What frames are called; labels are shared by all frames of the same function (class, file …). */
export interface FlameLabel {
  readonly name: string;
  /** Where it is in the source; empty where unknown. */
  readonly file: string;
  /** From 1; 0 where unknown. */
  readonly line: number;
  readonly column: number;
  /** Index into the groups. */
  readonly group: number;
  /** One more line for the tooltip; empty where there is none. */
  readonly note: string;
  /** Weight of all its frames, without and with what they called; recursion counted once. From the whole tree, not the pruned one. */
  readonly self: number;
  readonly total: number;
  /** Differential graphs only. */
  readonly change: LabelChange | null;
}

/** The label before, and whether the difference is more than noise. */
export interface LabelChange {
  readonly selfBefore: number;
  readonly totalBefore: number;
  /** The least rate of false discoveries at which its own change would be reported; null where it was not tested. */
  readonly q: number | null;
  /** Null where nobody can say: a single profile on a side has no noise to compare with. */
  readonly isSignificant: boolean | null;
  /** What a test has found, in words; empty where there was none. */
  readonly note: string;
}

export interface FlameTree {
  readonly count: number;
  /** −1 for the root, which is 0; parents stand before their children. */
  readonly parent: Int32Array;
  readonly labelOf: Uint32Array;
  /** Weight of the frame itself, without its children. */
  readonly self: Float64Array;
  /** The same before; null unless the graph is differential. */
  readonly selfBefore: Float64Array | null;
}

/** Spans of time without gaps, from 0: in each, one node of the tree was at the top of the stack. */
export interface FlameTimeline {
  readonly count: number;
  readonly node: Uint32Array;
  readonly duration: Float64Array;
}

export type FlameUnit = 'microseconds' | 'bytes' | 'samples';

export interface FlameModel {
  readonly title: string;
  /** A line beneath: what it is of. */
  readonly subtitle: string;
  readonly unit: FlameUnit;
  readonly groups: readonly FlameGroup[];
  readonly labels: readonly FlameLabel[];
  readonly tree: FlameTree;
  readonly timeline: FlameTimeline | null;
  /** Names of the two sides of a differential graph; null for a plain one. */
  readonly sides: readonly [before: string, after: string] | null;
  /** What the reader must know: what was left out, what cannot be said. */
  readonly notes: readonly string[];
}

/** Per node its weight with everything below it. */
export function sumTotals(parent: Int32Array, self: Float64Array): Float64Array {
  const totals = Float64Array.from(self);
  for (let node = totals.length - 1; node > 0; node -= 1) {
    const above = parent[node] as number;
    totals[above] = (totals[above] as number) + (totals[node] as number);
  }
  return totals;
}
