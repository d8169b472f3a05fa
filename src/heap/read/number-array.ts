/**
 * Reads one flat JSON array of whole numbers straight from bytes and hands them on in batches of whole records. Numbers
 * may be cut by the border of a chunk. Refuses everything that no snapshot has there: fractions, strings, nesting.
 */
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';

export interface NumberSink {
  /** Name of the section, for messages. */
  readonly section: string;
  /** Names of the numbers of a record; their count is the length of a record. */
  readonly fields: readonly string[];
  /** `count` numbers, a multiple of the record's length, at the beginning of `values`. */
  take(values: Float64Array, count: number): void;
  /** The array is at its end. */
  end(): void;
}

const RECORDS_PER_BATCH = 4096;
const EXPECT = { value: 0, number: 1, separator: 2, first: 3 } as const;

export class NumberArrayReader implements ValueReader {
  readonly #sink: NumberSink;
  readonly #position: Position;
  readonly #batch: Float64Array;
  #count = 0;
  #records = 0;
  #value = 0;
  #digits = 0;
  #isNegative = false;
  #state: number = -1;

  constructor(sink: NumberSink, position: Position) {
    this.#sink = sink;
    this.#position = position;
    this.#batch = new Float64Array(RECORDS_PER_BATCH * sink.fields.length);
  }

  push(chunk: Uint8Array, from: number): number {
    let at = from;
    const end = chunk.length;
    if (this.#state === -1) {
      if (chunk[at] !== 0x5b) this.#refuse(chunk, at, 'a list of numbers was expected');
      at += 1;
      this.#state = EXPECT.first;
    }
    const batch = this.#batch;
    let count = this.#count;
    let value = this.#value;
    let digits = this.#digits;
    let isNegative = this.#isNegative;
    let state = this.#state;
    while (at < end) {
      const byte = chunk[at] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        if (state === EXPECT.separator) this.#refuse(chunk, at, 'a comma was expected');
        value = value * 10 + (byte - 0x30);
        digits += 1;
        state = EXPECT.number;
        at += 1;
        continue;
      }
      if (state === EXPECT.number) {
        if (digits === 0) this.#refuse(chunk, at, 'a digit was expected');
        if (value > Number.MAX_SAFE_INTEGER) this.#refuse(chunk, at, 'the number is too large');
        batch[count] = isNegative ? -value : value;
        count += 1;
        if (count === batch.length) {
          this.#flush(count);
          count = 0;
        }
        value = 0;
        digits = 0;
        isNegative = false;
        state = EXPECT.separator;
      }
      if (byte === 0x2c) {
        if (state !== EXPECT.separator) this.#refuse(chunk, at, 'a number was expected');
        state = EXPECT.value;
      } else if (byte === 0x5d) {
        if (state === EXPECT.value) this.#refuse(chunk, at, 'a number was expected');
        this.#count = count;
        this.#finish(at);
        return at + 1;
      } else if (byte === 0x2d && (state === EXPECT.value || state === EXPECT.first)) {
        isNegative = true;
        state = EXPECT.number;
      } else if (!isBlank(byte)) {
        this.#refuse(chunk, at, state === EXPECT.separator ? 'a comma was expected' : 'a whole number was expected');
      }
      at += 1;
    }
    this.#count = count;
    this.#value = value;
    this.#digits = digits;
    this.#isNegative = isNegative;
    this.#state = state;
    return -1;
  }

  #flush(count: number): void {
    this.#sink.take(this.#batch, count);
    this.#records += count / this.#sink.fields.length;
  }

  #finish(at: number): void {
    const { fields, section } = this.#sink;
    const whole = this.#count - (this.#count % fields.length);
    if (whole !== this.#count) {
      const record = this.#records + whole / fields.length;
      const missing = fields[this.#count - whole] ?? '';
      fail(
        this.#position.file,
        `${section}[${record}]`,
        `the list ends before ${missing} (${byteAt(this.#position, at)})`,
      );
    }
    if (whole > 0) this.#flush(whole);
    this.#sink.end();
  }

  #refuse(chunk: Uint8Array, at: number, what: string): never {
    const found = showByte(chunk[at] as number);
    return fail(
      this.#position.file,
      `${byteAt(this.#position, at)} (${this.#sink.section})`,
      `${what}, found ${found}`,
    );
  }
}
