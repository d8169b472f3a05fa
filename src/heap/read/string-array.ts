/**
 * Reads the section `strings`: keeps its bytes and notes where each string begins. Only quotes and backslashes are
 * looked at; escapes are checked when a string is decoded.
 */
import type { StringTable } from './string-table.ts';
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';
import { BLOCK_BYTES } from './wasm-memory.ts';
import { placeInput, type WasmReader } from './wasm-reader.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LINE_BREAK = 0x0a;

export class StringArrayReader implements ValueReader {
  readonly #table: StringTable;
  readonly #position: Position;
  readonly #wasm: WasmReader | null;
  #byteCount = 0;
  #state: 'bracket' | 'first' | 'value' | 'inside' | 'escape' | 'separator' = 'bracket';

  /** `wasm`: null to do without. */
  constructor(table: StringTable, position: Position, wasm: WasmReader | null) {
    this.#table = table;
    this.#position = position;
    this.#wasm = wasm;
  }

  push(chunk: Uint8Array, from: number): number {
    const end = chunk.length;
    const base = this.#byteCount - from;
    let at = from;
    let state = this.#state;
    while (at < end) {
      if (state === 'inside') {
        if (this.#wasm !== null && end - at >= BLOCK_BYTES) {
          at = this.#pushFast(this.#wasm, chunk, at, base);
          state = this.#state;
          continue;
        }
        while (at < end && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at += 1;
        if (at === end) break;
        state = chunk[at] === QUOTE ? 'separator' : 'escape';
        at += 1;
        continue;
      }
      const byte = chunk[at] as number;
      at += 1;
      if (state === 'escape') state = 'inside';
      else if (isBlank(byte)) continue;
      else if (byte === QUOTE && (state === 'first' || state === 'value')) {
        this.#table.addString(base + at);
        state = 'inside';
      } else if (byte === 0x2c && state === 'separator') state = 'value';
      else if (byte === 0x5b && state === 'bracket') state = 'first';
      else if (byte === 0x5d && (state === 'separator' || state === 'first')) {
        this.#table.addBytes(chunk.subarray(from, at));
        return at;
      } else {
        const wanted = state === 'separator' ? 'a comma' : state === 'bracket' ? 'a list of strings' : 'a string';
        const where = `${byteAt(this.#position, at - 1)} (strings[${this.#table.count}])`;
        fail(this.#position.file, where, `${wanted} was expected, found ${showByte(byte)}`);
      }
    }
    this.#table.addBytes(chunk.subarray(from));
    this.#byteCount += end - from;
    this.#state = state;
    return -1;
  }

  /** From the inside of a string on, up to what is not as V8 writes it, or the last bytes. Returns where it stopped, in `#state`. */
  #pushFast(wasm: WasmReader, chunk: Uint8Array, from: number, base: number): number {
    const { numbers } = wasm;
    let at = from;
    while (chunk.length - at >= BLOCK_BYTES) {
      const { to, shift } = placeInput(wasm, chunk, at);
      at = wasm.findQuotes(shift + at, shift + to) - shift;
      const { count } = wasm;
      for (let which = 0; which < count; which += 2) {
        const close = (numbers[which] as number) - shift;
        const open = (numbers[which + 1] as number) - shift;
        if (which + 1 === count || !isSeparated(chunk, close, open)) {
          this.#state = 'separator';
          return close + 1;
        }
        this.#table.addString(base + open + 1);
      }
      if (wasm.isEscaped) {
        this.#state = 'escape';
        return at;
      }
    }
    this.#state = 'inside';
    return at;
  }
}

/** One comma between the quotes, perhaps at the end of a line. */
const isSeparated = (chunk: Uint8Array, close: number, open: number): boolean =>
  chunk[close + 1] === COMMA && (open === close + 2 || (open === close + 3 && chunk[close + 2] === LINE_BREAK));
