/**
 * Columns that grow while a section is read. The counts in a file's header are a hint for the first size, never a reason
 * to allocate more than the file could fill.
 */

type Column = Uint8Array | Uint32Array | Float64Array;

/** A copy with room for at least `length` entries; the column itself when it has that room. */
export function withRoom<T extends Column>(column: T, length: number): T {
  if (column.length >= length) return column;
  const Kind = column.constructor as new (length: number) => T;
  const grown = new Kind(Math.max(length, Math.ceil(column.length * 1.5)));
  grown.set(column);
  return grown;
}

/** Numbers that nearly always fit into 32 bits: a column twice as wide from the first one that does not. */
export class WideColumn {
  values: Uint32Array | Float64Array;

  constructor(length: number) {
    this.values = new Uint32Array(length);
  }

  reserve(length: number): void {
    this.values = withRoom(this.values, length);
  }

  set(at: number, value: number): void {
    if (value > 0xffff_ffff && this.values instanceof Uint32Array) this.values = Float64Array.from(this.values);
    this.values[at] = value;
  }
}
