/** A hash table from two numbers of 32 bits to a third, over flat arrays: open addressing with linear probing. */

const EMPTY = -1;

export class PairTable {
  size = 0;
  #mask = 1023;
  #first = new Uint32Array(1024);
  #second = new Uint32Array(1024);
  #value = new Int32Array(1024).fill(EMPTY);

  /** −1 where the pair is not there. */
  get(first: number, second: number): number {
    for (let at = this.#hash(first, second); this.#value[at] !== EMPTY; at = (at + 1) & this.#mask)
      if (this.#first[at] === first && this.#second[at] === second) return this.#value[at] as number;
    return EMPTY;
  }

  /** The pair must not be there yet; values are whole numbers from 0 up to 2^31. */
  set(first: number, second: number, value: number): void {
    if (this.size * 2 > this.#mask) this.#grow();
    let at = this.#hash(first, second);
    while (this.#value[at] !== EMPTY) at = (at + 1) & this.#mask;
    this.#first[at] = first;
    this.#second[at] = second;
    this.#value[at] = value;
    this.size += 1;
  }

  #hash(first: number, second: number): number {
    const mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca6b);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }

  #grow(): void {
    const first = this.#first;
    const second = this.#second;
    const value = this.#value;
    const length = first.length * 2;
    this.#mask = length - 1;
    this.#first = new Uint32Array(length);
    this.#second = new Uint32Array(length);
    this.#value = new Int32Array(length).fill(EMPTY);
    this.size = 0;
    for (let at = 0; at < first.length; at += 1)
      if (value[at] !== EMPTY) this.set(first[at] as number, second[at] as number, value[at] as number);
  }
}
