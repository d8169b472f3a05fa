/**
 * Lists of growing numbers, very many or very long, in little memory: most entries are a difference of 16 bits. A list is known by
 * the place of its last entry, which changes when one is added, and is read backwards.
 *
 * Blocks of 32 units of 16 bits: the place in the block before (0 in the first one), the last number of the block, and the
 * differences between its numbers. A difference of 2^15 or more takes two units, the upper half behind the lower one and
 * marked, because reading comes from there.
 */

const BLOCK_UNITS = 32;
const HEADER_UNITS = 4;
const LAST_UNIT = BLOCK_UNITS - 1;
const MARK = 0x8000;

export class NumberChains {
  #memory: ArrayBuffer;
  #units: Uint16Array;
  #words: Uint32Array;
  #nextBlock = BLOCK_UNITS;
  /** Where a walk is: the number, and its place; 0 at the end. */
  number = 0;
  place = 0;

  /** `bytes`: how much may be needed; what is not written to costs nothing. */
  constructor(bytes: number) {
    this.#memory = new ArrayBuffer(Math.ceil(bytes / 64) * 64 + 128);
    this.#units = new Uint16Array(this.#memory);
    this.#words = new Uint32Array(this.#memory);
  }

  /** A new list of two numbers, the larger one last. */
  begin(first: number, second: number): number {
    return this.append(this.#newBlock(0, first), second);
  }

  last(place: number): number {
    return this.#words[(place - (place % BLOCK_UNITS)) / 2 + 1] as number;
  }

  /** `number` is larger than the last one. */
  append(place: number, number: number): number {
    const at = place % BLOCK_UNITS;
    const lastAt = (place - at) / 2 + 1;
    const difference = number - (this.#words[lastAt] as number);
    if (difference < MARK) {
      if (at === LAST_UNIT) return this.#newBlock(place, number);
      this.#units[place + 1] = difference;
      this.#words[lastAt] = number;
      return place + 1;
    }
    if (at + 2 > LAST_UNIT) return this.#newBlock(place, number);
    this.#units[place + 1] = difference & 0xffff;
    this.#units[place + 2] = MARK | (difference >>> 16);
    this.#words[lastAt] = number;
    return place + 2;
  }

  /** Puts a larger number in the place of the last one. */
  replaceLast(place: number, number: number): number {
    const lastAt = (place - (place % BLOCK_UNITS)) / 2 + 1;
    if (place % BLOCK_UNITS === HEADER_UNITS - 1) {
      this.#words[lastAt] = number;
      return place;
    }
    const unit = this.#units[place] as number;
    const isLong = unit >= MARK;
    const difference = isLong ? (unit - MARK) * 65_536 + (this.#units[place - 1] as number) : unit;
    this.#words[lastAt] = (this.#words[lastAt] as number) - difference;
    return this.append(place - (isLong ? 2 : 1), number);
  }

  /** Sets `number` and `place` to the last entry of a list. */
  start(place: number): void {
    this.place = place;
    this.number = this.last(place);
  }

  /** Goes on to the entry before. */
  step(): void {
    const { place } = this;
    if (place % BLOCK_UNITS === HEADER_UNITS - 1) {
      const before = this.#words[(place - (HEADER_UNITS - 1)) / 2] as number;
      this.place = before;
      this.number = before === 0 ? 0 : this.last(before);
      return;
    }
    const unit = this.#units[place] as number;
    if (unit < MARK) {
      this.place = place - 1;
      this.number -= unit;
    } else {
      this.place = place - 2;
      this.number -= (unit - MARK) * 65_536 + (this.#units[place - 1] as number);
    }
  }

  /** The memory, which nobody needs any more. */
  get memory(): ArrayBuffer {
    return this.#memory;
  }

  #newBlock(before: number, number: number): number {
    const block = this.#nextBlock;
    if (block + BLOCK_UNITS > this.#units.length) this.#grow();
    this.#words[block / 2] = before;
    this.#words[block / 2 + 1] = number;
    this.#nextBlock = block + BLOCK_UNITS;
    return block + HEADER_UNITS - 1;
  }

  #grow(): void {
    const units = new Uint16Array(this.#units.length * 2);
    units.set(this.#units);
    this.#memory = units.buffer;
    this.#units = units;
    this.#words = new Uint32Array(units.buffer);
  }
}
