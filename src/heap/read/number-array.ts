/**
 * Reads one flat JSON array of whole numbers straight from bytes and hands them on in batches of whole records. Numbers
 * may be cut by the border of a chunk. Long runs go to the `WasmReader`; here is what it does not take, byte by byte.
 * Refuses everything that no snapshot has there: fractions, strings, nesting.
 */
import { BLOCK_BYTES, MAX_NUMBERS } from './wasm-memory.ts';
import { placeInput, type WasmReader } from './wasm-reader.ts';
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';

export interface NumberSink {
  /** Name of the section, for messages. */
  readonly section: string;
  /** Names of the numbers of a record; their count is the length of a record. */
  readonly fields: readonly string[];
  /**
   * `count` numbers, a multiple of the record's length, at the beginning of `values`. Those that are no whole numbers of 32
   * bits stand in `wide` as well, by their position; there are none in nearly every batch.
   */
  take(values: Uint32Array, count: number, wide: ReadonlyMap<number, number>): void;
  /** The array is at its end. */
  end(): void;
}

const EXPECT = { bracket: 0, first: 1, value: 2, number: 3, separator: 4 } as const;

/** Bytes to look at one by one after the reader in WebAssembly took nothing: what it does not like seldom stands alone. */
const SLOW_BYTES = 256;

export class NumberArrayReader implements ValueReader {
  readonly #sink: NumberSink;
  readonly #position: Position;
  readonly #wasm: WasmReader | null;
  readonly #batch: Uint32Array;
  readonly #batchLimit: number;
  readonly #wide = new Map<number, number>();
  #count = 0;
  #records = 0;
  #value = 0;
  #digitCount = 0;
  #isNegative = false;
  #state: number = EXPECT.bracket;

  constructor(sink: NumberSink, position: Position, wasm: WasmReader | null) {
    this.#sink = sink;
    this.#position = position;
    this.#wasm = wasm;
    this.#batch = wasm?.numbers ?? new Uint32Array(MAX_NUMBERS);
    this.#batchLimit = MAX_NUMBERS - 64;
  }

  push(chunk: Uint8Array, from: number): number {
    for (let at = from; ;) {
      if (this.#wasm !== null && this.#state === EXPECT.value) at = this.#pushFast(this.#wasm, chunk, at);
      const to = Math.min(chunk.length, this.#wasm === null ? chunk.length : at + SLOW_BYTES);
      at = this.#pushSlow(chunk, at, to);
      if (at < 0) return -at;
      if (at === chunk.length) return -1;
    }
  }

  /** Returns where the reader in WebAssembly stopped for good; the state is then that of the byte there. */
  #pushFast(wasm: WasmReader, chunk: Uint8Array, from: number): number {
    let at = from;
    while (chunk.length - at >= BLOCK_BYTES) {
      const { to, shift } = placeInput(wasm, chunk, at);
      const before = at;
      for (;;) {
        const stop = wasm.read(shift + at, shift + to, this.#count) - shift;
        if (stop === at) break;
        at = stop;
        this.#count = wasm.count;
        if (this.#count > this.#batchLimit) this.#flush();
        this.#state = EXPECT.separator;
        if (chunk[at] === 0x0a) at += 1;
        if (at >= to || chunk[at] !== 0x2c) return at;
        at += 1;
        this.#state = EXPECT.value;
      }
      if (at === before || to === chunk.length) return at;
    }
    return at;
  }

  /** Looks at bytes up to `to`. Returns where it is, or the position behind the array as a negative number. */
  #pushSlow(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    let value = this.#value;
    let digitCount = this.#digitCount;
    let state = this.#state;
    while (at < to) {
      const byte = chunk[at] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        if (state === EXPECT.separator || state === EXPECT.bracket) this.#refuse(chunk, at, state);
        value = value * 10 + (byte - 0x30);
        digitCount += 1;
        state = EXPECT.number;
        at += 1;
        continue;
      }
      if (state === EXPECT.number) {
        if (digitCount === 0) this.#refuse(chunk, at, state);
        if (value > Number.MAX_SAFE_INTEGER) this.#complain(at, 'the number is too large');
        this.#add(this.#isNegative ? -value : value);
        value = 0;
        digitCount = 0;
        this.#isNegative = false;
        state = EXPECT.separator;
      }
      if (byte === 0x2c && state === EXPECT.separator) state = EXPECT.value;
      else if (byte === 0x5d && (state === EXPECT.separator || state === EXPECT.first)) {
        this.#finish(at);
        return -(at + 1);
      } else if (byte === 0x5b && state === EXPECT.bracket) state = EXPECT.first;
      else if (byte === 0x2d && (state === EXPECT.value || state === EXPECT.first)) {
        this.#isNegative = true;
        state = EXPECT.number;
      } else if (!isBlank(byte)) this.#refuse(chunk, at, state);
      at += 1;
    }
    this.#value = value;
    this.#digitCount = digitCount;
    this.#state = state;
    return at;
  }

  #add(value: number): void {
    if (value < 0 || value > 0xffff_ffff) this.#wide.set(this.#count, value);
    this.#batch[this.#count] = value;
    this.#count += 1;
    if (this.#count > this.#batchLimit) this.#flush();
  }

  /** Hands on the whole records; what is left of one stays at the beginning. */
  #flush(): void {
    const width = this.#sink.fields.length;
    const rest = this.#count % width;
    const whole = this.#count - rest;
    this.#sink.take(this.#batch, whole, this.#wide);
    this.#records += whole / width;
    this.#batch.copyWithin(0, whole, this.#count);
    this.#count = rest;
    if (this.#wide.size === 0) return;
    const kept = [...this.#wide].filter(([at]) => at >= whole);
    this.#wide.clear();
    for (const [at, value] of kept) this.#wide.set(at - whole, value);
  }

  #finish(at: number): void {
    const { fields, section } = this.#sink;
    this.#flush();
    if (this.#count > 0) {
      const missing = fields[this.#count] ?? '';
      const where = `${section}[${this.#records}]`;
      fail(this.#position.file, where, `the list ends before ${missing} (${byteAt(this.#position, at)})`);
    }
    this.#sink.end();
  }

  #refuse(chunk: Uint8Array, at: number, state: number): never {
    return this.#complain(at, `${EXPECTED[state]} was expected, found ${showByte(chunk[at] as number)}`);
  }

  #complain(at: number, what: string): never {
    return fail(this.#position.file, `${byteAt(this.#position, at)} (${this.#sink.section})`, what);
  }
}

const EXPECTED: readonly string[] = ['a list of numbers', 'a whole number', 'a whole number', 'a digit', 'a comma'];
