/**
 * Reads the section `strings`: keeps its bytes and notes where each string begins. Only quotes and backslashes are
 * looked at; escapes are checked when a string is decoded.
 */
import type { StringTable } from './string-table.ts';
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class StringArrayReader implements ValueReader {
  readonly #table: StringTable;
  readonly #position: Position;
  #byteCount = 0;
  #state: 'bracket' | 'first' | 'value' | 'inside' | 'escape' | 'separator' = 'bracket';

  constructor(table: StringTable, position: Position) {
    this.#table = table;
    this.#position = position;
  }

  push(chunk: Uint8Array, from: number): number {
    const end = chunk.length;
    const base = this.#byteCount - from;
    let at = from;
    let state = this.#state;
    while (at < end) {
      if (state === 'inside') {
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
}
