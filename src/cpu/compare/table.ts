/**
 * Two sets of windows as one table: a row for each function, whichever version it was seen in, a column for each window.
 * Rows are numbered; windows of both versions speak of functions by these numbers.
 */
import { markOutermost } from '../passes/totals.ts';
import type { CpuFunction } from '../model/profile.ts';
import { ANONYMOUS, matchFunctions, type MatchedBy, type SeenFunction } from './match-functions.ts';
import { placeOf, type ProfileWindow } from './window.ts';

export interface Row {
  /** The function as either side has it; null where a side never saw it. */
  readonly a: CpuFunction | null;
  readonly b: CpuFunction | null;
  readonly by: MatchedBy | null;
}

export interface Column {
  readonly window: ProfileWindow;
  readonly side: 0 | 1;
  /** Per node of the window: the row of its function. */
  readonly rowOf: Uint32Array;
  /** Per row: ticks in the function, and with everything below it (recursion counts once). */
  readonly self: Float64Array;
  readonly total: Float64Array;
  /** Per node: 1 where no node above it is of the same row. */
  readonly isOutermost: Uint8Array;
  /** Nodes of a row that were found running. */
  readonly nodesOf: (row: number) => readonly number[];
}

export interface Table {
  readonly rows: readonly Row[];
  /** Those of `a` first. */
  readonly columns: readonly Column[];
}

/** Matches the functions of both sides and counts every window by them. */
export function tabulate(a: readonly ProfileWindow[], b: readonly ProfileWindow[]): Table {
  const [seenA, seenB] = [collect(a), collect(b)];
  const matches = matchFunctions(seenA.functions, seenB.functions);
  const rows = matches.map((match): Row => ({
    a: match.a === null ? null : (seenA.functions[match.a]?.function ?? null),
    b: match.b === null ? null : (seenB.functions[match.b]?.function ?? null),
    by: match.by,
  }));
  const rowsOf = (seen: Seen, key: 'a' | 'b'): Map<string, number> => {
    const byIndex = new Map(matches.map((match, row) => [match[key], row]));
    return new Map([...seen.places].map(([place, at]) => [place, byIndex.get(at) ?? 0]));
  };
  const [rowsA, rowsB] = [rowsOf(seenA, 'a'), rowsOf(seenB, 'b')];
  const columns = [
    ...a.map((window) => count(window, 0, rowsA, rows.length)),
    ...b.map((window) => count(window, 1, rowsB, rows.length)),
  ];
  return { rows, columns };
}

interface Seen {
  readonly functions: readonly SeenFunction[];
  /** Index into `functions` by `placeOf`. */
  readonly places: ReadonlyMap<string, number>;
}

/** All functions of one side, each with the named caller below which it was found most often. */
function collect(windows: readonly ProfileWindow[]): Seen {
  const places = new Map<string, number>();
  const found: { readonly own: CpuFunction; readonly callers: Map<string, number> }[] = [];
  for (const { functions, nodeCount, parent, functionOf, ticks } of windows) {
    const at = functions.map((own) => {
      const place = placeOf(own);
      const known = places.get(place);
      if (known !== undefined) return known;
      places.set(place, found.length);
      return found.push({ own, callers: new Map() }) - 1;
    });
    const nearest = new Uint32Array(nodeCount);
    for (let node = 1; node < nodeCount; node++) {
      const up = parent[node] ?? 0;
      const above = functionOf[up] ?? 0;
      const caller = functions[above]?.name === ANONYMOUS ? (nearest[up] ?? 0) : above;
      nearest[node] = caller;
      const callers = found[at[functionOf[node] ?? 0] ?? 0]?.callers;
      const name = functions[caller]?.name ?? '';
      callers?.set(name, (callers.get(name) ?? 0) + (ticks[node] ?? 0));
    }
  }
  const functions = found.map(({ own, callers }): SeenFunction => {
    const [most] = [...callers].toSorted(([x, one], [y, other]) => other - one || (x < y ? -1 : 1));
    return { function: own, caller: most?.[0] ?? '' };
  });
  return { functions, places };
}

function count(window: ProfileWindow, side: 0 | 1, rows: ReadonlyMap<string, number>, rowCount: number): Column {
  const { functions, nodeCount, parent, functionOf, ticks } = window;
  const ownRows = Uint32Array.from(functions, (own) => rows.get(placeOf(own)) ?? 0);
  const rowOf = Uint32Array.from(functionOf.subarray(0, nodeCount), (at) => ownRows[at] ?? 0);
  const below = Float64Array.from(ticks);
  for (let node = nodeCount - 1; node > 0; node--) {
    const up = parent[node] ?? 0;
    below[up] = (below[up] ?? 0) + (below[node] ?? 0);
  }
  const isOutermost = markOutermost(window, ownRows, rowCount);
  const self = new Float64Array(rowCount);
  const total = new Float64Array(rowCount);
  for (let node = 0; node < nodeCount; node++) {
    const row = rowOf[node] ?? 0;
    self[row] = (self[row] ?? 0) + (ticks[node] ?? 0);
    if (isOutermost[node] === 1) total[row] = (total[row] ?? 0) + (below[node] ?? 0);
  }
  const nodes = new Map<number, number[]>();
  for (let node = 1; node < nodeCount; node++) {
    if ((ticks[node] ?? 0) === 0) continue;
    const row = rowOf[node] ?? 0;
    const known = nodes.get(row);
    if (known === undefined) nodes.set(row, [node]);
    else known.push(node);
  }
  return { window, side, rowOf, self, total, isOutermost, nodesOf: (row) => nodes.get(row) ?? [] };
}
