/**
 * A column of numbers that grows while a file is read. Holds 32-bit integers for as long as all of them fit, and becomes
 * 64-bit floating point at the first that does not. Refuses (`WrongValue`) more numbers than any profile has; what a
 * number may mean is for the reader to say.
 *
 * Room is taken generously and untouched pages of a new array cost no memory, so a large first size is cheap where the
 * size of the file bounds what can come.
 */
import { WrongValue } from './json-shape.ts';

/** 2 GiB of a column; a few kilobytes of a compressed file can unfold to more than any machine has. */
const MAX_COUNT = 2 ** 29;

export class NumberColumn {
  values: Int32Array | Float64Array;
  count = 0;

  constructor(capacity = 1024) {
    this.values = new Int32Array(capacity);
  }

  push(value: number): void {
    if (this.count === this.values.length) this.#grow(this.count * 4);
    if (this.values instanceof Int32Array && (value | 0) !== value) this.#widen();
    this.values[this.count] = value;
    this.count += 1;
  }

  /** Replaces a number that is there. */
  set(index: number, value: number): void {
    if (index >= this.count) throw new RangeError(`no number ${index} in a column of ${this.count}`);
    if (this.values instanceof Int32Array && (value | 0) !== value) this.#widen();
    this.values[index] = value;
  }

  /** Makes room for as many more, where they are known or bounded beforehand. */
  reserve(more: number): void {
    if (this.count + more <= this.values.length) return;
    try {
      this.#grow(Math.max(this.count + more, this.count * 2));
    } catch (error) {
      // The machine may not promise as much as could come; what does come is made room for when it does.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  at(index: number): number {
    if (index >= this.count) throw new RangeError(`no number ${index} in a column of ${this.count}`);
    return this.values[index] as number;
  }

  #grow(wanted: number): void {
    if (this.count >= MAX_COUNT) throw new WrongValue(`more than ${MAX_COUNT.toLocaleString('en-US')} numbers`);
    const capacity = Math.min(wanted, MAX_COUNT);
    const grown =
      this.values instanceof Int32Array
        ? new Int32Array(Math.max(capacity, 1024))
        : new Float64Array(Math.max(capacity, 1024));
    grown.set(this.values.subarray(0, this.count));
    this.values = grown;
  }

  #widen(): void {
    const wide = new Float64Array(this.values.length);
    wide.set(this.values.subarray(0, this.count));
    this.values = wide;
  }
}
