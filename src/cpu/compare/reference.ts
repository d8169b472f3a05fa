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
}

/** Least part of all ticks that a caller must have done besides, so that its own noise is not that of the comparison. */
const LEAST_REFERENCE = 0.04;
/** And least part of what the function itself takes. */
const LEAST_OF_OWN = 0.5;
/** Callers that are looked at above one node: a stack that is deeper is a recursion. */
const MOST_CALLERS = 256;

/** Answers for functions of one table, again and again, without those that are known to have changed. */
export class References {
  readonly #table: Table;
  readonly #rootRow: number;
  /** Per column: ticks of a row below another one: `below[column].get(row)?.get(above)`. */
  readonly #below: readonly ReadonlyMap<number, ReadonlyMap<number, number>>[];

  /** `rows`: those that will be asked for, or left out. */
  constructor(table: Table, rows: ReadonlySet<number>) {
    this.#table = table;
    this.#rootRow = table.columns[0]?.rowOf[0] ?? 0;
    this.#below = table.columns.map((column) => countBelow(column, rows, this.#rootRow));
  }

  /** `without`: rows whose own time is left out of what others are measured against. */
  observe(row: number, without: ReadonlySet<number>): Observation {
    const { columns } = this.#table;
    const isReference = this.#judgeCallers(row, without);
    const parts = new Map<number, { readonly observed: Float64Array; readonly rest: Float64Array }>();
    for (const [at, column] of columns.entries()) {
      for (const [above, ticks] of this.#splitByReference(row, column, isReference)) {
        let part = parts.get(above);
        if (part === undefined) {
          const rest = Float64Array.from(columns.keys(), (other) => this.#restOf(other, above, row, without));
          parts.set(above, (part = { observed: new Float64Array(columns.length), rest }));
        }
        part.observed[at] = (part.observed[at] ?? 0) + ticks;
      }
    }
    const observed = new Float64Array(columns.length);
    const expected = new Float64Array(columns.length);
    const expectedVariance = new Float64Array(columns.length);
    const weights: [number, number][] = [];
    for (const [above, part] of parts) {
      const [inPart, inRest] = [this.#average(part.observed), this.#average(part.rest)];
      const odds = inRest === 0 ? 0 : inPart / inRest;
      weights.push([above, inPart]);
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
      const own = meanOf(observed, columns, side);
      const sum = meanOf(expected, columns, side);
      return 1 / Math.max(own, 0.5) + (sum === 0 ? 1 : meanOf(expectedVariance, columns, side) / (sum * sum));
    };
    const references = weights.toSorted(([, one], [, other]) => other - one).map(([above]) => above);
    return { observed, expected, samplingVariance: [variance(0), variance(1)], references };
  }

  /** Which callers of a row did enough besides. The answer is the same for both sides, so that they are measured alike. */
  #judgeCallers(row: number, without: ReadonlySet<number>): (above: number) => boolean {
    const { columns } = this.#table;
    const share = (side: 0 | 1, ticksOf: (at: number, column: Column) => number): number => {
      const own = [...columns.entries()].filter(([, column]) => column.side === side);
      const sum = own.reduce((total, [at, column]) => total + ticksOf(at, column) / column.window.onCpuTicks, 0);
      return sum / Math.max(own.length, 1);
    };
    const ownShare = (share(0, (_, { self }) => self[row] ?? 0) + share(1, (_, { self }) => self[row] ?? 0)) / 2;
    const least = Math.max(LEAST_REFERENCE, LEAST_OF_OWN * ownShare);
    const known = new Map<number, boolean>([[this.#rootRow, true]]);
    return (above) => {
      let isEnough = known.get(above);
      if (isEnough === undefined) {
        isEnough = ([0, 1] as const).every(
          (side) => share(side, (at) => this.#restOf(at, above, row, without)) >= least,
        );
        known.set(above, isEnough);
      }
      return isEnough;
    };
  }

  /** Ticks below `above` in a window that are neither of the row nor of those left out. */
  #restOf(at: number, above: number, row: number, without: ReadonlySet<number>): number {
    const below = this.#below[at];
    let rest = this.#table.columns[at]?.total[above] ?? 0;
    rest -= below?.get(row)?.get(above) ?? 0;
    for (const other of without) if (other !== row) rest -= below?.get(other)?.get(above) ?? 0;
    return Math.max(rest, 0);
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
    const { columns } = this.#table;
    return (meanOf(values, columns, 0) + meanOf(values, columns, 1)) / 2;
  }
}

function countBelow(column: Column, rows: ReadonlySet<number>, rootRow: number): Map<number, Map<number, number>> {
  const { window, rowOf } = column;
  const below = new Map<number, Map<number, number>>();
  for (const row of rows) {
    const sums = new Map<number, number>();
    for (const node of column.nodesOf(row)) {
      const ticks = window.ticks[node] ?? 0;
      // A function's own time is below itself, too, where it is what others are measured against.
      const seen = new Set([row]);
      for (let up = window.parent[node] ?? -1; up > 0 && seen.size < MOST_CALLERS; up = window.parent[up] ?? -1)
        seen.add(rowOf[up] ?? 0);
      seen.add(rootRow);
      for (const above of seen) sums.set(above, (sums.get(above) ?? 0) + ticks);
    }
    below.set(row, sums);
  }
  return below;
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
