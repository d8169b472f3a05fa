/**
 * Entries of WeakMaps: V8 writes their values twice, as held by the table and as held by the key, with names like
 * `7 / part of key (A @1) -> value (B @3) pair in WeakMap (table @5)`. Finds these names once per snapshot.
 */
import type { HeapStrings } from '../model/graph.ts';

export interface WeakMapNames {
  /** Id of the table's node for the name with this index; −1 for every other name. */
  tableId(nameIndex: number): number;
  /** Equal for the two edges of one entry: the name without the number that it begins with. */
  pair(nameIndex: number): string;
}

// As in DevTools (HeapSnapshot.ts, tryParseWeakMapEdgeName): `.` leaves out line breaks on purpose of equality.
const NAME =
  /^\d+(?<pair> \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(?<table>\d+)\))$/;
const PREFIX = / \/ part of key \(/;

export function findWeakMapNames(strings: HeapStrings): WeakMapNames {
  const tables = new Map<number, { readonly pair: string; readonly tableId: number }>();
  for (let index = 0; index < strings.count; index += 1) {
    const byte = strings.firstByte(index);
    if (byte < 0x30 || byte > 0x39) continue;
    const text = strings.get(index);
    if (!PREFIX.test(text)) continue;
    const groups = NAME.exec(text)?.groups;
    if (groups !== undefined) tables.set(index, { pair: groups['pair'] ?? '', tableId: Number(groups['table']) });
  }
  return {
    tableId: (nameIndex) => tables.get(nameIndex)?.tableId ?? -1,
    pair: (nameIndex) => tables.get(nameIndex)?.pair ?? '',
  };
}
