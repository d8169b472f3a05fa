/**
 * Columns that grow while a section is read. The counts in a file's header are a hint for the first size, never a reason
 * to allocate more than the file could fill.
 */

type Column = Uint8Array | Uint32Array | Float64Array;

/** Columns are in shared memory, so that a second thread can read a graph without a copy; untouched pages cost nothing. */
export const newBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
export const newWords = (length: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(length * 4));

/** A copy with room for at least `length` entries; the column itself when it has that room. */
export function withRoom<T extends Column>(column: T, length: number): T {
  if (column.length >= length) return column;
  const Kind = column.constructor as new (memory: SharedArrayBuffer) => T;
  const grownLength = Math.max(length, Math.ceil(column.length * 1.5));
  const grown = new Kind(new SharedArrayBuffer(grownLength * column.BYTES_PER_ELEMENT));
  grown.set(column);
  return grown;
}

/** Numbers that nearly always fit into 32 bits: a column twice as wide from the first one that does not. */
export class WideColumn {
  values: Uint32Array | Float64Array;

  constructor(length: number) {
    this.values = newWords(length);
  }

  reserve(length: number): void {
    this.values = withRoom(this.values, length);
  }

  set(at: number, value: number): void {
    if (value > 0xffff_ffff && this.values instanceof Uint32Array) {
      const wide = new Float64Array(new SharedArrayBuffer(this.values.length * 8));
      wide.set(this.values);
      this.values = wide;
    }
    this.values[at] = value;
  }
}
