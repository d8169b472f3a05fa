/**
 * What each function's time is measured against. A share of the whole moves with the mix of the load: twice as many
 * checkouts, and everything that checkouts call has twice the share, though nothing got slower. So a function is compared
 * with the rest of what its callers did: it is expected to take the same part of that in every window, and what is analysed
 * is observed over expected (indirect standardisation, as epidemiology does for populations of different ages: Breslow and
 * Day, Statistical Methods in Cancer Research II, 1987, chapter 2). How often the callers ran cancels out.
 */
import type { Column, Table } from './table.ts';

/** One function's numbers, an entry a window. */
export interface Observation {
  /** Ticks that the function had. */
  readonly observed: Float64Array;
  /** Ticks that it would have had with the average part of what its callers did. */
  readonly expected: Float64Array;
  /** Variance of the logarithm of observed over expected that sampling alone makes, in an average window of each side. */
  readonly samplingVariance: readonly [number, number];
  /** Rows of the functions below which it was compared, the root for what had no better; the weightiest first. */
  readonly references: readonly number[];
  /** Mean part of all ticks that it is measured against. */
  readonly referenceShare: number;
}

/** Functions that are known to have changed, by row, and what of them others must not be measured against. */
export type Without = ReadonlyMap<number, 'own time' | 'all below'>;

/** Least part of all ticks that a caller must have done besides, so that its own noise is not that of the comparison. */
const LEAST_REFERENCE = 0.04;
/** And least part of what the function itself takes. */
const LEAST_OF_OWN = 0.5;
/** Callers that are looked at above one node: a stack that is deeper is a recursion. */
const MOST_CALLERS = 256;

/** Answers for the functions of one table. */
export class References {
  readonly #columns: readonly Column[];
  readonly #rootRow: number;
  readonly #without: Without;
  /** Per column. */
  readonly #counts: readonly Counts[];

  constructor({ columns, rows }: Table, without: Without) {
    this.#columns = columns;
    this.#rootRow = columns[0]?.rowOf[0] ?? 0;
    this.#without = without;
    this.#counts = columns.map((column) => countReferences(column, rows.length, without));
  }

  observe(row: number): Observation {
    const columns = this.#columns;
    const own = columns.map((column, at) => this.#ownBelow(row, column, this.#counts[at]));
    const restOf = (at: number, above: number): number =>
      Math.max((this.#counts[at]?.below[above] ?? 0) - (own[at]?.get(above) ?? 0), 0);
    const isReference = this.#judgeCallers(row, restOf);
    const parts = new Map<number, { readonly observed: Float64Array; readonly rest: Float64Array }>();
    for (const [at, column] of columns.entries()) {
      for (const [above, ticks] of this.#splitByReference(row, column, isReference)) {
        let part = parts.get(above);
        if (part === undefined) {
          const rest = Float64Array.from(columns.keys(), (other) => restOf(other, above));
          parts.set(above, (part = { observed: new Float64Array(columns.length), rest }));
        }
        part.observed[at] = (part.observed[at] ?? 0) + ticks;
      }
    }
    const observed = new Float64Array(columns.length);
    const expected = new Float64Array(columns.length);
    const expectedVariance = new Float64Array(columns.length);
    const weights: [number, number][] = [];
    let referenceTicks = 0;
    for (const [above, part] of parts) {
      const [inPart, inRest] = [this.#average(part.observed), this.#average(part.rest)];
      const odds = inRest === 0 ? 0 : inPart / inRest;
      weights.push([above, inPart]);
      referenceTicks += inPart * inRest;
      for (const at of columns.keys()) {
        observed[at] = (observed[at] ?? 0) + (part.observed[at] ?? 0);
        expected[at] = (expected[at] ?? 0) + odds * (part.rest[at] ?? 0);
        expectedVariance[at] = (expectedVariance[at] ?? 0) + odds * odds * (part.rest[at] ?? 0);
      }
    }
    const isSampled = columns.every(({ window }) => window.isSampled);
    const variance = (side: 0 | 1): number => {
      // Nobody knows how precise times are that no samples stand behind; only the windows' own differences tell.
      if (!isSampled) return 0;
      const ticks = meanOf(observed, columns, side);
      const sum = meanOf(expected, columns, side);
      return 1 / Math.max(ticks, 0.5) + (sum === 0 ? 1 : meanOf(expectedVariance, columns, side) / (sum * sum));
    };
    const references = weights.toSorted(([, one], [, other]) => other - one).map(([above]) => above);
    const allTicks = this.#average(Float64Array.from(columns, ({ window }) => window.onCpuTicks));
    const referenceShare = referenceTicks / Math.max(this.#average(observed) * allTicks, 1e-12);
    return { observed, expected, samplingVariance: [variance(0), variance(1)], references, referenceShare };
  }

  /** Which callers of a row did enough besides. The answer is the same for both sides, so that they are measured alike. */
  #judgeCallers(row: number, restOf: (at: number, above: number) => number): (above: number) => boolean {
    const columns = this.#columns;
    const share = (side: 0 | 1, ticksOf: (at: number) => number): number => {
      let [sum, count] = [0, 0];
      for (const [at, column] of columns.entries()) {
        if (column.side !== side) continue;
        sum += ticksOf(at) / column.window.onCpuTicks;
        count += 1;
      }
      return sum / Math.max(count, 1);
    };
    const ownTicks = (at: number): number => columns[at]?.self[row] ?? 0;
    const least = Math.max(LEAST_REFERENCE, (LEAST_OF_OWN * (share(0, ownTicks) + share(1, ownTicks))) / 2);
    const known = new Map<number, boolean>([[this.#rootRow, true]]);
    return (above) => {
      let isEnough = known.get(above);
      if (isEnough === undefined) {
        isEnough = ([0, 1] as const).every((side) => share(side, (at) => restOf(at, above)) >= least);
        known.set(above, isEnough);
      }
      return isEnough;
    };
  }

  /** Ticks of the row that are counted below each of its callers. */
  #ownBelow(row: number, { window, rowOf, nodesOf }: Column, counts: Counts | undefined): Map<number, number> {
    const below = new Map<number, number>();
    if (counts === undefined || this.#without.get(row) === 'own time') return below;
    for (const node of nodesOf(row)) {
      const ticks = window.ticks[node] ?? 0;
      const seen = new Set<number>();
      let isCut = this.#without.get(row) === 'all below';
      for (let up = window.parent[node] ?? -1; up >= 0 && seen.size < MOST_CALLERS; up = window.parent[up] ?? -1) {
        const above = rowOf[up] ?? 0;
        if (counts.isOutermost[up] === 1 && (!isCut || counts.isInside[up] === 1)) {
          below.set(above, (below.get(above) ?? 0) + ticks);
        }
        seen.add(above);
        isCut ||= this.#without.get(above) === 'all below';
      }
    }
    return below;
  }

  /** Ticks of the row in a window, by the nearest caller that is a reference. */
  #splitByReference(row: number, column: Column, isReference: (above: number) => boolean): Map<number, number> {
    const { window, rowOf } = column;
    const parts = new Map<number, number>();
    for (const node of column.nodesOf(row)) {
      let above = this.#rootRow;
      let looked = 0;
      for (let up = window.parent[node] ?? -1; up > 0 && looked < MOST_CALLERS; up = window.parent[up] ?? -1) {
        const other = rowOf[up] ?? 0;
        if (other !== row && isReference(other)) {
          above = other;
          break;
        }
        looked += 1;
      }
      parts.set(above, (parts.get(above) ?? 0) + (window.ticks[node] ?? 0));
    }
    return parts;
  }

  /** Mean over the sides' means, so that the side with more windows does not count for more. */
  #average(values: Float64Array): number {
    return (meanOf(values, this.#columns, 0) + meanOf(values, this.#columns, 1)) / 2;
  }
}

interface Counts {
  /** Per row: ticks in it and below that others may be measured against. */
  readonly below: Float64Array;
  /** Per node: whether it is, or is below, a function that is left out with all below. Inside of that all is compared as ever. */
  readonly isInside: Uint8Array;
  readonly isOutermost: Uint8Array;
}

function countReferences({ window, rowOf, isOutermost }: Column, rowCount: number, without: Without): Counts {
  const { nodeCount, parent, ticks } = window;
  const isInside = new Uint8Array(nodeCount);
  // With and without what is below a function that is left out with all below.
  const inner = new Float64Array(nodeCount);
  const outer = new Float64Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    const how = without.get(rowOf[node] ?? 0);
    isInside[node] = how === 'all below' || isInside[parent[node] ?? 0] === 1 ? 1 : 0;
    inner[node] = how === 'own time' ? 0 : (ticks[node] ?? 0);
    outer[node] = inner[node] ?? 0;
  }
  const below = new Float64Array(rowCount);
  for (let node = nodeCount - 1; node >= 0; node--) {
    const row = rowOf[node] ?? 0;
    if (isOutermost[node] === 1)
      below[row] = (below[row] ?? 0) + ((isInside[node] === 1 ? inner[node] : outer[node]) ?? 0);
    if (node === 0) break;
    const up = parent[node] ?? 0;
    inner[up] = (inner[up] ?? 0) + (inner[node] ?? 0);
    if (without.get(row) !== 'all below') outer[up] = (outer[up] ?? 0) + (outer[node] ?? 0);
  }
  return { below, isInside, isOutermost };
}

export function meanOf(values: Float64Array, columns: readonly Column[], side: 0 | 1): number {
  let sum = 0;
  let count = 0;
  for (const [at, column] of columns.entries()) {
    if (column.side !== side) continue;
    sum += values[at] ?? 0;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}
