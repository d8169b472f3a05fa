/**
 * The section `strings` as it stands in the file: its bytes, still escaped, and where each string begins. Nothing is
 * decoded until somebody asks. Starts are kept in 32 bits; where they pass a multiple of 4 GiB, the index is noted.
 */
import type { HeapStrings } from '../model/graph.ts';
import { withRoom } from './columns.ts';

const WRAP = 2 ** 32;
/** V8 refuses strings of more than 2^29 − 24 units. */
const MAX_STRING_BYTES = 2 ** 29 - 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PLAIN = new TextDecoder('latin1');
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class StringTable implements HeapStrings {
  count = 0;
  /** Pieces of the section one after the other, from the bracket on, and at which byte of the section each begins. */
  readonly #pieces: Uint8Array[] = [];
  readonly #pieceStarts: number[] = [];
  #byteCount = 0;
  /** Per string, modulo 4 GiB: the byte behind its opening quote. */
  #starts = new Uint32Array(1024);
  /** Indexes of the first string behind each multiple of 4 GiB. */
  readonly #wraps: number[] = [];

  addPiece(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#pieceStarts.push(this.#byteCount);
    this.#byteCount += bytes.length;
  }

  /** `start`: the byte of the section behind the opening quote. */
  addString(start: number): void {
    if (this.count === this.#starts.length) this.#starts = withRoom(this.#starts, this.count + 1);
    while (start >= (this.#wraps.length + 1) * WRAP) this.#wraps.push(this.count);
    this.#starts[this.count] = start % WRAP;
    this.count += 1;
  }

  get(index: number): string {
    const raw = this.#raw(index, MAX_STRING_BYTES);
    if (!raw.includes(BACKSLASH)) return isPlain(raw) ? PLAIN.decode(raw) : UTF8.decode(raw);
    const text = UTF8.decode(raw.length === MAX_STRING_BYTES ? cutEscape(raw) : raw);
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
      const unit = Number.parseInt(PLAIN.decode(this.#slice(at + 2, at + 6)), 16);
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
    const found = texts.map(() => -1);
    const raws = texts.map((text) => Buffer.from(JSON.stringify(text).slice(1, -1)));
    const lengths = new Set(raws.map((raw) => raw.length));
    for (let index = 0; index < this.count; index += 1) {
      const [from, to] = this.#range(index);
      if (!lengths.has(to - from)) continue;
      const slice = this.#slice(from, to);
      for (const [at, raw] of raws.entries())
        if (found[at] === -1 && raw.length === slice.length && raw.equals(slice)) found[at] = index;
    }
    return found;
  }

  firstByte(index: number): number {
    const byte = this.#byte(this.#start(index));
    return byte === QUOTE ? -1 : byte;
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

function isPlain(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
}

/** Without the escape that a cut went through. */
function cutEscape(raw: Uint8Array): Uint8Array {
  const last = raw.lastIndexOf(BACKSLASH);
  let first = last;
  while (first > 0 && raw[first - 1] === BACKSLASH) first -= 1;
  const isEscape = (last - first) % 2 === 0;
  return isEscape && raw.length - last < 6 ? raw.subarray(0, last) : raw;
}
