/** Readers for values that are kept as text (the header) or not at all (sections that this version does not know). */
import { byteAt, fail, type Position, type ValueReader } from './value-reader.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Finds the end of any JSON value by counting brackets outside of strings; does not check what is inside. */
export class SkippedValue implements ValueReader {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isScalar = false;

  push(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          this.#isInString = false;
          if (this.#depth === 0) return at + 1;
        }
      } else if (byte === QUOTE) this.#isInString = true;
      else if (byte === 0x5b || byte === 0x7b) this.#depth += 1;
      else if (byte === 0x5d || byte === 0x7d) {
        // A number or a word ends where the object around it does.
        if (this.#depth === 0) return at;
        this.#depth -= 1;
        if (this.#depth === 0 && !this.#isScalar) return at + 1;
      } else if (this.#depth === 0) {
        if (byte === 0x2c) return at;
        this.#isScalar = true;
      }
    }
    return -1;
  }
}

/** Keeps the value's text, up to `maxBytes` of it. */
export class TextValue implements ValueReader {
  readonly #value = new SkippedValue();
  readonly #pieces: Uint8Array[] = [];
  readonly #maxBytes: number;
  readonly #position: Position;
  readonly #done: (text: string) => void;
  #byteCount = 0;

  constructor(maxBytes: number, position: Position, done: (text: string) => void) {
    this.#maxBytes = maxBytes;
    this.#position = position;
    this.#done = done;
  }

  push(chunk: Uint8Array, from: number): number {
    const end = this.#value.push(chunk, from);
    const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
    this.#byteCount += piece.length;
    if (this.#byteCount > this.#maxBytes)
      fail(this.#position.file, byteAt(this.#position, from), `a header of more than ${this.#maxBytes} bytes`);
    this.#pieces.push(piece.slice());
    if (end !== -1) this.#done(Buffer.concat(this.#pieces).toString('utf8'));
    return end;
  }
}
