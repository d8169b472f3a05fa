/**
 * The section `strings` as it stands in the file: its bytes, still escaped, and where each string begins. Nothing is
 * decoded until somebody asks. Starts are kept in 32 bits; where they pass a multiple of 4 GiB, the index is noted.
 */
import { isAscii } from 'node:buffer';
import type { HeapStrings } from '../model/graph.ts';
import { newBytes, newWords, withRoom } from './columns.ts';

const WRAP = 2 ** 32;
/** V8 refuses strings of more than 2^29 − 24 units. */
const MAX_STRING_BYTES = 2 ** 29 - 64;

const FIRST_PIECE_BYTES = 1 << 16;
const LAST_PIECE_BYTES = 1 << 23;

/** Strings that are made room for in advance, in 1 GiB of addresses. */
const MAX_RESERVED = 2 ** 28;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export interface SharedStrings {
  readonly count: number;
  readonly pieces: readonly Uint8Array[];
  readonly pieceStarts: readonly number[];
  readonly byteCount: number;
  readonly starts: Uint32Array;
  readonly wraps: readonly number[];
}

export class StringTable implements HeapStrings {
  count = 0;
  /** Pieces of the section one after the other, from the bracket on, and at which byte of the section each begins. */
  #pieces: Uint8Array[] = [];
  #pieceStarts: number[] = [];
  #byteCount = 0;
  /** Left in the last piece. */
  #freeBytes = 0;
  /** Per string, modulo 4 GiB: the byte behind its opening quote. */
  #starts = newWords(1024);
  /** Indexes of the first string behind each multiple of 4 GiB. */
  #wraps: number[] = [];

  /** The same table in another thread, from what `share` gave. */
  static of({ count, pieces, pieceStarts, byteCount, starts, wraps }: SharedStrings): StringTable {
    const table = new StringTable();
    table.count = count;
    table.#pieces = [...pieces];
    table.#pieceStarts = [...pieceStarts];
    table.#byteCount = byteCount;
    table.#starts = starts;
    table.#wraps = [...wraps];
    return table;
  }

  /** For a message to another thread: no byte of it is copied. */
  share(): SharedStrings {
    return {
      count: this.count,
      pieces: this.#pieces,
      pieceStarts: this.#pieceStarts,
      byteCount: this.#byteCount,
      starts: this.#starts,
      wraps: this.#wraps,
    };
  }

  /** Room for so many strings at once, before the first one: growing would leave the smaller tables behind for a while. */
  reserve(count: number): void {
    if (this.count === 0 && count > this.#starts.length) this.#starts = newWords(Math.min(count, MAX_RESERVED));
  }

  /** Keeps a copy of the section's next bytes. */
  addBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#freeBytes === 0) this.#addPiece();
      const part = bytes.subarray(at, at + this.#freeBytes);
      const piece = this.#pieces.at(-1) as Uint8Array;
      piece.set(part, piece.length - this.#freeBytes);
      this.#freeBytes -= part.length;
      this.#byteCount += part.length;
      at += part.length;
    }
  }

  #addPiece(): void {
    // Each as large as all before, so that small files stay small, up to a size that wastes little at the end.
    const bytes = Math.min(Math.max(this.#byteCount, FIRST_PIECE_BYTES), LAST_PIECE_BYTES);
    this.#pieces.push(newBytes(bytes));
    this.#pieceStarts.push(this.#byteCount);
    this.#freeBytes = bytes;
  }

  /** `start`: the byte of the section behind the opening quote. */
  addString(start: number): void {
    if (this.count === this.#starts.length) this.#starts = withRoom(this.#starts, this.count + 1);
    while (start >= (this.#wraps.length + 1) * WRAP) this.#wraps.push(this.count);
    // Whole numbers of 32 bits wrap by themselves; `%` is a call of the C library for each string.
    this.#starts[this.count] = start;
    this.count += 1;
  }

  get(index: number): string {
    const raw = this.#raw(index, MAX_STRING_BYTES);
    if (!raw.includes(BACKSLASH)) return textOf(raw, isAscii(raw) ? 'latin1' : 'utf8');
    const text = textOf(raw.length === MAX_STRING_BYTES ? cutEscape(raw) : raw, 'utf8');
    try {
      return JSON.parse(`"${text}"`) as string;
    } catch {
      // A damaged escape in one string is no reason to refuse a snapshot: it is shown as it stands.
      return text;
    }
  }

  byteLength(index: number): number {
    const [from, to] = this.#range(index);
    let length = to - from;
    let previousHigh = false;
    for (let at = from; at < to; at += 1) {
      if (this.#byte(at) !== BACKSLASH) {
        previousHigh = false;
        continue;
      }
      if (this.#byte(at + 1) !== 0x75) {
        // A backslash and a letter stand for one byte.
        length -= 1;
        at += 1;
        previousHigh = false;
        continue;
      }
      const unit = Number.parseInt(textOf(this.#slice(at + 2, at + 6), 'latin1'), 16);
      const isLow = unit >= 0xdc00 && unit < 0xe000;
      // Six bytes stand for one to three; a pair of surrogates for four together; one alone for U+FFFD.
      if (unit < 0x80) length -= 5;
      else if (unit < 0x800) length -= 4;
      else if (isLow && previousHigh) length -= 5;
      else length -= 3;
      previousHigh = !(isLow && previousHigh) && unit >= 0xd800 && unit < 0xdc00;
      at += 5;
    }
    return length;
  }

  find(texts: readonly string[]): number[] {
    return texts.map((text) => {
      for (const at of this.#occurrences(Buffer.from(JSON.stringify(text)))) {
        const index = this.#indexAt(at + 1, 0);
        // Its first quote may also be an escaped one inside of another string.
        if (this.#start(index) === at + 1) return index;
      }
      return -1;
    });
  }

  findNumbered(text: string): number[] {
    const wanted = Buffer.from(JSON.stringify(text).slice(1, -1));
    const found: number[] = [];
    // Few strings have it anywhere: the text is looked for in all bytes at once, and then to which string it belongs.
    let index = 0;
    for (const at of this.#occurrences(wanted)) {
      index = this.#indexAt(at, index);
      const start = this.#start(index);
      let digits = start;
      while (digits < at && isDigit(this.#byte(digits))) digits += 1;
      if (digits === at && at > start) found.push(index);
    }
    return found;
  }

  /** Every byte of the section that `wanted` begins at, upwards. */
  *#occurrences(wanted: Uint8Array): Generator<number> {
    for (const [which, piece] of this.#pieces.entries()) {
      const start = this.#pieceStarts[which] as number;
      const length = Math.min(piece.length, this.#byteCount - start);
      yield* occurrencesIn(piece.subarray(0, length), wanted, start);
      // What begins in this piece and ends in the next.
      const from = Math.max(start, start + length - wanted.length + 1);
      const to = Math.min(start + length + wanted.length - 1, this.#byteCount);
      if (to > start + length) yield* occurrencesIn(this.#slice(from, to), wanted, from);
    }
  }

  /** The string that a byte of the section is in; not before `least`. */
  #indexAt(at: number, least: number): number {
    let low = least;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#start(middle) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #raw(index: number, maxBytes: number): Uint8Array {
    const [from, to] = this.#range(index);
    return this.#slice(from, Math.min(to, from + maxBytes));
  }

  #start(index: number): number {
    let wraps = 0;
    while (wraps < this.#wraps.length && index >= (this.#wraps[wraps] as number)) wraps += 1;
    return wraps * WRAP + (this.#starts[index] as number);
  }

  #range(index: number): [number, number] {
    if (!(index >= 0 && index < this.count)) throw new RangeError(`there is no string ${index} of ${this.count}`);
    const from = this.#start(index);
    // From the next opening quote, or the end, back over blanks and the comma to the closing quote.
    let to = index + 1 < this.count ? this.#start(index + 1) - 2 : this.#byteCount - 1;
    while (this.#byte(to) !== QUOTE) to -= 1;
    return [from, to];
  }

  #piece(at: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieceStarts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #byte(at: number): number {
    const piece = this.#piece(at);
    return (this.#pieces[piece] as Uint8Array)[at - (this.#pieceStarts[piece] as number)] as number;
  }

  #slice(from: number, to: number): Uint8Array {
    const piece = this.#piece(from);
    const bytes = this.#pieces[piece] as Uint8Array;
    const start = this.#pieceStarts[piece] as number;
    if (to <= start + bytes.length) return bytes.subarray(from - start, to - start);
    const whole = new Uint8Array(to - from);
    for (let at = from, next = piece; at < to; next += 1) {
      const start = this.#pieceStarts[next] as number;
      const part = (this.#pieces[next] as Uint8Array).subarray(at - start, to - start);
      whole.set(part, at - from);
      at += part.length;
    }
    return whole;
  }
}

const textOf = ({ buffer, byteOffset, length }: Uint8Array, encoding: 'latin1' | 'utf8'): string =>
  Buffer.from(buffer, byteOffset, length).toString(encoding);

function* occurrencesIn(
  { buffer, byteOffset, length }: Uint8Array,
  wanted: Uint8Array,
  start: number,
): Generator<number> {
  const bytes = Buffer.from(buffer, byteOffset, length);
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) yield start + at;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Without the escape that a cut went through. */
function cutEscape(raw: Uint8Array): Uint8Array {
  const last = raw.lastIndexOf(BACKSLASH);
  let first = last;
  while (first > 0 && raw[first - 1] === BACKSLASH) first -= 1;
  const isEscape = (last - first) % 2 === 0;
  return isEscape && raw.length - last < 6 ? raw.subarray(0, last) : raw;
}
