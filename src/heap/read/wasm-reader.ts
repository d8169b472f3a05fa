/** What reads the bytes of a snapshot in WebAssembly: one instance with a memory of its own for each file that is read at a time. */
import { READ_DIGITS } from './digits.ts';
import { FIND_QUOTES } from './quotes.ts';
import { assemble } from './wasm-code.ts';
import { INPUT_BYTES, INPUT_OFFSET, MAX_NUMBERS, OUTPUT_OFFSET, PAGES } from './wasm-memory.ts';

/** What the types of Node and of the language leave out. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

export interface WasmReader {
  /** Its memory: the input goes to `INPUT_OFFSET`. */
  readonly bytes: Uint8Array;
  /** What was read. */
  readonly numbers: Uint32Array;
  /**
   * Reads numbers from `from`, where one must begin, as long as 64 bytes are left before `to`, and puts them behind the first
   * `count` ones. Returns where it stopped: at the separator behind the last number, or at `from` when it read none.
   */
  read(from: number, to: number, count: number): number;
  /**
   * Puts the places of the quotes that are not escaped into `numbers`, as long as 64 bytes are left before `to`. The byte at
   * `from` must not be escaped. Returns where it stopped.
   */
  findQuotes(from: number, to: number): number;
  /** How many numbers there are after either. */
  readonly count: number;
  /** After `findQuotes`: the byte where it stopped is escaped. */
  readonly isEscaped: boolean;
}

interface Global {
  readonly value: number;
}

/** Readers that nobody uses: each reserves gigabytes of addresses, so that a new one for every file would exhaust them. */
const idle: WasmReader[] = [];
let code: object | null = null;

/** A reader of one's own until `returnWasmReader`; null where there is no WebAssembly with SIMD. */
export function borrowWasmReader(): WasmReader | null {
  const known = idle.pop();
  if (known !== undefined) return known;
  if (code === null && !WebAssembly.validate(MODULE)) return null;
  code ??= new WebAssembly.Module(MODULE);
  const { exports } = new WebAssembly.Instance(code);
  const { memory, read, findQuotes, end, escaped } = exports as unknown as {
    memory: { readonly buffer: ArrayBuffer };
    read: (from: number, to: number, out: number) => number;
    findQuotes: (from: number, to: number, out: number) => number;
    end: Global;
    escaped: Global;
  };
  return {
    bytes: new Uint8Array(memory.buffer),
    numbers: new Uint32Array(memory.buffer, OUTPUT_OFFSET, MAX_NUMBERS),
    read: (from, to, count) => read(from, to, OUTPUT_OFFSET + count * 4),
    findQuotes: (from, to) => findQuotes(from, to, OUTPUT_OFFSET),
    get count() {
      return (end.value - OUTPUT_OFFSET) / 4;
    },
    get isEscaped() {
      return escaped.value === 1;
    },
  };
}

export const returnWasmReader = (reader: WasmReader | null): void => {
  if (reader !== null) idle.push(reader);
};

/**
 * Puts a chunk's bytes from `at` on where a reader sees them, unless the chunk lies there: up to `to` of the chunk, each at its place
 * in the chunk and `shift`.
 */
export function placeInput(
  { bytes }: WasmReader,
  chunk: Uint8Array,
  at: number,
): { readonly to: number; readonly shift: number } {
  if (chunk.buffer === bytes.buffer) return { to: chunk.length, shift: chunk.byteOffset };
  const to = Math.min(chunk.length, at + INPUT_BYTES);
  bytes.set(chunk.subarray(at, to), INPUT_OFFSET);
  return { to, shift: INPUT_OFFSET - at };
}

const MODULE = assemble([READ_DIGITS, FIND_QUOTES], PAGES, ['end', 'escaped']);
