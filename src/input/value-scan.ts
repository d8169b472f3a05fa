/** Follows a JSON value of any kind to its end by its strings and brackets, over as many chunks as it has; what is inside is not checked. */
import { BACKSLASH, BRACE, BRACE_END, BRACKET, BRACKET_END, COMMA_SIGN, QUOTE } from './json-signs.ts';

export class ValueScan {
  /** Bytes of the value so far. */
  length = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** A new value. */
  begin(): void {
    this.length = 0;
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
  }

  /** Whether the value is whole if nothing comes any more: a bare word or number is. */
  get mayEnd(): boolean {
    return this.#depth === 0 && !this.#isInString;
  }

  /** Where the value ends in this chunk, the place behind it; −1 when the next chunk goes on with it. */
  follow(bytes: Uint8Array, from: number): number {
    let at = from;
    let isAtEnd = false;
    for (; at < bytes.length && !isAtEnd; at += 1) {
      const byte = bytes[at] as number;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          this.#isInString = false;
          isAtEnd = this.#depth === 0;
        }
      } else if (byte === QUOTE) this.#isInString = true;
      else if (byte === BRACE || byte === BRACKET) this.#depth += 1;
      else if (byte === BRACE_END || byte === BRACKET_END) {
        // The end of the container around a bare word, or of the value itself.
        if (this.#depth === 0) break;
        this.#depth -= 1;
        isAtEnd = this.#depth === 0;
      } else if (byte === COMMA_SIGN && this.#depth === 0) break;
    }
    this.length += at - from;
    return isAtEnd || at < bytes.length ? at : -1;
  }
}
