/**
 * Entries of WeakMaps: V8 writes their values twice, as held by the table and as held by the key, with names like
 * `7 / part of key (A @1) -> value (B @3) pair in WeakMap (table @5)`. Finds these names once per snapshot.
 */
import type { HeapStrings } from '../model/graph.ts';

export interface WeakMapNames {
  readonly count: number;
  /** Per string: 1 for such a name. */
  readonly isName: Uint8Array;
  /** By name: id of the table's node. */
  readonly tables: ReadonlyMap<number, number>;
}

// As in DevTools (HeapSnapshot.ts, tryParseWeakMapEdgeName): `.` leaves out line breaks on purpose of equality.
const NAME =
  /^\d+(?<pair> \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(?<table>\d+)\))$/;

export function findWeakMapNames(strings: HeapStrings): WeakMapNames {
  const isName = new Uint8Array(strings.count);
  const tables = new Map<number, number>();
  for (const index of strings.findNumbered(' / part of key (')) {
    const table = NAME.exec(strings.get(index))?.groups?.['table'];
    if (table === undefined) continue;
    isName[index] = 1;
    tables.set(index, Number(table));
  }
  return { count: tables.size, isName, tables };
}

/** Equal for the two edges of one entry: the name without the number that it begins with. */
export const pairOf = (strings: HeapStrings, name: number): string =>
  NAME.exec(strings.get(name))?.groups?.['pair'] ?? '';
