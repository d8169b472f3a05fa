/**
 * Reads JSON of any size by a shape, chunk by chunk, without ever holding more than a chunk and the token that its end
 * cuts in two. What the shape does not name is skipped: there only brackets and strings are followed, so a mistake inside
 * is not noticed. Refuses (`BadFile`, with the byte and the path to it) what is not JSON, another type than the shape
 * asks for, an end in the middle, nesting beyond `maxDepth`, and strings and values beyond `maxValueBytes`.
 *
 * `null` where a string, a number or an array is asked for counts as absent, as writers of profiles mean it.
 */
import { BadFile } from './bad-file.ts';
import { type Container, describePath } from './json-path.ts';
import {
  BACKSLASH,
  BRACE,
  BRACE_END,
  BRACKET,
  BRACKET_END,
  COLON_SIGN,
  COMMA_SIGN,
  MINUS,
  NINE,
  QUOTE,
  ZERO,
} from './json-signs.ts';
import { decodeText, findTextEnd } from './json-text.ts';
import { takePlainNumbers } from './plain-numbers.ts';
import { ValueScan } from './value-scan.ts';
import {
  type ArrayShape,
  type JsonShape,
  type NumberShape,
  type NumbersShape,
  type ObjectShape,
  SKIP,
  WrongValue,
} from './json-shape.ts';

export interface JsonOptions {
  /** For messages. */
  readonly file: string;
  /** Containers in containers; 100,000 unless told. */
  readonly maxDepth?: number;
  /** Bytes of one string or of one value that is taken whole; 16 MiB unless told. */
  readonly maxValueBytes?: number;
  /** Bytes that can still come after those that were pushed, where known: columns take their room by it. */
  readonly remainingBytes?: () => number | null;
}

/** Reads all chunks by `shape`; ends when they end. */
export async function readJson(
  chunks: AsyncIterable<Uint8Array>,
  shape: JsonShape,
  options: JsonOptions,
): Promise<void> {
  const stream = new JsonStream(shape, options);
  for await (const chunk of chunks) stream.push(chunk);
  stream.end();
}

/** What may come next in the innermost container. */
const FIRST_KEY = 0; // a key or the end
const KEY = 1;
const COLON = 2;
const VALUE = 3;
const FIRST_VALUE = 4; // a value or the end of the array
const COMMA = 5; // a comma or the end
const DONE = 6; // only white space
const SCAN = 7; // inside of something that is skipped or taken whole
type State =
  | typeof FIRST_KEY
  | typeof KEY
  | typeof COLON
  | typeof VALUE
  | typeof FIRST_VALUE
  | typeof COMMA
  | typeof DONE
  | typeof SCAN;

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** 15 digits are exact in a double, whatever they are. */
const MAX_FAST_DIGITS = 15;

export class JsonStream {
  readonly #file: string;
  readonly #maxDepth: number;
  readonly #maxValueBytes: number;
  readonly #remainingBytes: () => number | null;
  /** Containers that are open, outermost first, and per container: the index of the field or item that is being read. */
  readonly #containers: Container[] = [];
  readonly #places: number[] = [];
  #state: State = VALUE;
  /** The shape of the value that comes next. */
  #expected: JsonShape;
  #buffer: Buffer = Buffer.alloc(0);
  /** Offset of the buffer's first byte in the (decompressed) file. */
  #base = 0;
  #position = 0;
  /** Chunks that wait until there is as much as a token that was cut, so that a long one is not looked at for each chunk. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** True once no more bytes can come: a number at the end is whole then. */
  #isLast = false;
  /** The value that is being followed to its end, and its bytes so far where they are wanted. */
  readonly #scan = new ValueScan();
  #scanned: Uint8Array[] | null = null;

  constructor(shape: JsonShape, { file, maxDepth, maxValueBytes, remainingBytes }: JsonOptions) {
    this.#expected = shape;
    this.#file = file;
    this.#maxDepth = maxDepth ?? 100_000;
    this.#maxValueBytes = maxValueBytes ?? 16 * 1024 * 1024;
    this.#remainingBytes = remainingBytes ?? (() => null);
  }

  push(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= this.#buffer.length - this.#position) this.#join();
  }

  #join(): void {
    const left = this.#buffer.subarray(this.#position);
    this.#base += this.#position;
    const [only] = this.#waiting;
    this.#buffer =
      left.length === 0 && this.#waiting.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat([left, ...this.#waiting]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#position = 0;
    this.#run();
  }

  end(): void {
    this.#isLast = true;
    this.#join();
    if (this.#state === DONE) return;
    this.#position = this.#buffer.length;
    this.#fail(this.#base + this.#position === 0 ? 'the file is empty' : 'the file ends in the middle');
  }

  /** Goes on until the buffer is used up, but for a token that may go on in the next chunk. */
  #run(): void {
    // The byte order mark that some editors write.
    if (this.#base === 0 && this.#position === 0 && this.#buffer[0] === 0xef && this.#buffer[1] === 0xbb)
      this.#position = 3;
    while (this.#position < this.#buffer.length) {
      if (this.#state === SCAN) {
        this.#followValue();
        continue;
      }
      const container = this.#containers.at(-1);
      if (container?.kind === 'numbers') {
        if (!this.#readNumbers(container)) return;
        continue;
      }
      const byte = this.#buffer[this.#position] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        this.#position += 1;
        continue;
      }
      if (!this.#step(byte)) return;
    }
  }

  /** Takes one token; false when it may go on in the next chunk. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case VALUE:
        return this.#readValue(byte);
      case FIRST_VALUE:
        if (byte === BRACKET_END) return this.#close();
        this.#expected = (this.#containers.at(-1) as ArrayShape).item();
        return this.#readValue(byte);
      case FIRST_KEY:
        if (byte === BRACE_END) return this.#close();
        return this.#readKey(byte);
      case KEY:
        return this.#readKey(byte);
      case COLON:
        if (byte !== COLON_SIGN) this.#unexpected('a colon');
        this.#position += 1;
        this.#state = VALUE;
        return true;
      case COMMA:
        return this.#readComma(byte);
      default:
        return this.#unexpected('the end of the file');
    }
  }

  #readComma(byte: number): boolean {
    const container = this.#containers.at(-1) as Container;
    if (container.kind === 'object') {
      if (byte === BRACE_END) return this.#close();
      if (byte !== COMMA_SIGN) this.#unexpected('a comma or a closing brace');
      this.#state = KEY;
    } else {
      if (byte === BRACKET_END) return this.#close();
      if (byte !== COMMA_SIGN) this.#unexpected('a comma or a closing bracket');
      this.#places[this.#places.length - 1] = (this.#places.at(-1) as number) + 1;
      this.#expected = (container as ArrayShape).item();
      this.#state = VALUE;
    }
    this.#position += 1;
    return true;
  }

  #readKey(byte: number): boolean {
    if (byte !== QUOTE) this.#unexpected('a key');
    const end = this.#findStringEnd();
    if (end === -1) return false;
    const { fields } = this.#containers.at(-1) as ObjectShape;
    const place = this.#findField(fields, this.#position + 1, end);
    this.#places[this.#places.length - 1] = place;
    this.#expected = fields[place]?.shape ?? SKIP;
    this.#position = end + 1;
    this.#state = COLON;
    return true;
  }

  /** Index of the field of that name, −1 where it is not one that is wanted. */
  #findField(fields: ObjectShape['fields'], start: number, end: number): number {
    const last = this.#places.at(-1) as number;
    // Writers keep one order, so the field after the last one is the likely one.
    for (let tried = 0; tried < fields.length; tried += 1) {
      const place = (last + 1 + tried) % fields.length;
      if (this.#hasBytes((fields[place] as ObjectShape['fields'][number]).bytes, start, end)) return place;
    }
    if (!this.#buffer.subarray(start, end).includes(BACKSLASH)) return -1;
    const name = this.#decode(start, end);
    return fields.findIndex((field) => field.name === name);
  }

  #hasBytes(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes.length !== end - start) return false;
    for (let index = 0; index < bytes.length; index += 1)
      if (bytes[index] !== this.#buffer[start + index]) return false;
    return true;
  }

  #readValue(byte: number): boolean {
    const shape = this.#expected;
    if (shape.kind === 'skip' || shape.kind === 'any') return this.#startScan(shape.kind === 'any');
    if (byte === 0x6e) return this.#readNull();
    switch (shape.kind) {
      case 'object':
        if (byte !== BRACE) this.#unexpected('an object');
        return this.#open(shape, FIRST_KEY);
      case 'array':
      case 'numbers':
        if (byte !== BRACKET) this.#unexpected('an array');
        return this.#open(shape, FIRST_VALUE);
      case 'string': {
        if (byte !== QUOTE) this.#unexpected('a string');
        const end = this.#findStringEnd();
        if (end === -1) return false;
        this.#take(shape.take, this.#decode(this.#position + 1, end));
        this.#position = end + 1;
        this.#endValue();
        return true;
      }
      default:
        return this.#readNumber(shape);
    }
  }

  #readNumber({ take }: NumberShape): boolean {
    const end = this.#findNumberEnd();
    if (end === -1) return false;
    this.#take(take, this.#parseNumber(end));
    this.#position = end;
    this.#endValue();
    return true;
  }

  #readNull(): boolean {
    const word = this.#buffer.toString('latin1', this.#position, Math.min(this.#position + 4, this.#buffer.length));
    if (word.length < 4 && !this.#isLast && 'null'.startsWith(word)) return false;
    if (word !== 'null') this.#unexpected('null');
    this.#position += 4;
    this.#endValue();
    return true;
  }

  #open(shape: Container, state: State): boolean {
    if (this.#containers.length >= this.#maxDepth) this.#fail(`more than ${this.#maxDepth} levels of nesting`);
    this.#containers.push(shape);
    this.#places.push(shape.kind === 'object' ? -1 : 0);
    this.#position += 1;
    this.#state = state;
    if (shape.kind === 'numbers') {
      // A number and its comma are two bytes at least.
      const bytes = this.#remainingBytes();
      if (bytes !== null) shape.column.reserve(Math.ceil((bytes + this.#buffer.length - this.#position) / 2));
    }
    if (shape.onStart !== null) this.#take(shape.onStart, undefined);
    return true;
  }

  #close(): boolean {
    const container = this.#containers.pop() as Container;
    this.#places.pop();
    if (container.onEnd !== null) this.#take(container.onEnd, undefined);
    this.#position += 1;
    this.#endValue();
    return true;
  }

  #endValue(): void {
    this.#state = this.#containers.length === 0 ? DONE : COMMA;
  }

  #take<Value>(take: (value: Value) => void, value: Value): void {
    try {
      take(value);
    } catch (error) {
      if (error instanceof WrongValue) this.#fail(error.message);
      throw error;
    }
  }

  /** The inside of an array of numbers. Whole numbers up to 15 digits are taken at once, others through text. */
  #readNumbers({ column }: NumbersShape): boolean {
    const bytes = this.#buffer;
    const end = bytes.length;
    let at = this.#position;
    let state = this.#state;
    for (;;) {
      while (at < end && (bytes[at] as number) <= 0x20) {
        const space = bytes[at];
        if (space !== 0x20 && space !== 0x0a && space !== 0x0d && space !== 0x09) {
          this.#position = at;
          this.#unexpected('a number');
        }
        at += 1;
      }
      if (at >= end) break;
      if (state !== COMMA) {
        const plainEnd = takePlainNumbers(column, bytes, at);
        if (plainEnd !== at) {
          // It stops behind a comma.
          at = plainEnd;
          state = VALUE;
          continue;
        }
      }
      const byte = bytes[at] as number;
      if (state === COMMA && byte === COMMA_SIGN) {
        state = VALUE;
        at += 1;
      } else if (byte === BRACKET_END && state !== VALUE) {
        this.#position = at;
        return this.#close();
      } else if (state === COMMA) {
        this.#position = at;
        this.#placeAt(column.count);
        this.#unexpected('a comma or a closing bracket');
      } else {
        let digit = byte === MINUS ? at + 1 : at;
        const first = digit;
        let value = 0;
        while (digit < end) {
          const figure = (bytes[digit] as number) - ZERO;
          if (figure < 0 || figure > 9) break;
          value = value * 10 + figure;
          digit += 1;
        }
        const next = bytes[digit];
        const isPlain =
          (next === COMMA_SIGN || next === BRACKET_END) &&
          digit > first &&
          digit - first <= MAX_FAST_DIGITS &&
          (bytes[first] !== ZERO || digit === first + 1);
        if (isPlain) {
          // A minus before nothing but zeros is zero.
          column.push(byte === MINUS ? 0 - value : value);
          at = digit;
        } else {
          this.#position = at;
          this.#placeAt(column.count);
          const numberEnd = this.#findNumberEnd();
          if (numberEnd === -1) {
            this.#state = state;
            return false;
          }
          column.push(this.#parseNumber(numberEnd));
          at = numberEnd;
        }
        state = COMMA;
      }
    }
    this.#position = at;
    this.#state = state;
    return true;
  }

  #placeAt(index: number): void {
    this.#places[this.#places.length - 1] = index;
  }

  /** Where the number at the position ends; −1 when the next chunk may go on with it. */
  #findNumberEnd(): number {
    const byte = this.#buffer[this.#position] as number;
    if (byte !== MINUS && (byte < ZERO || byte > NINE)) this.#unexpected('a number');
    let end = this.#position + 1;
    for (; end < this.#buffer.length; end += 1) {
      const next = this.#buffer[end] as number;
      const isPart =
        (next >= ZERO && next <= NINE) ||
        next === 0x2e ||
        next === 0x65 ||
        next === 0x45 ||
        next === 0x2b ||
        next === MINUS;
      if (!isPart) return end;
      // Nobody writes longer ones, and a file of digits must not be collected whole.
      if (end - this.#position > 400) this.#fail('a number of more than 400 characters');
    }
    return this.#isLast ? end : -1;
  }

  #parseNumber(end: number): number {
    const text = this.#buffer.toString('latin1', this.#position, end);
    if (!NUMBER.test(text)) this.#fail(`a number was expected, found ${JSON.stringify(text)}`);
    return Number(text);
  }

  /** Where the string at the position has its closing quote; −1 when it is not in the buffer. */
  #findStringEnd(): number {
    const end = findTextEnd(this.#buffer, this.#position + 1);
    if (end === -1 && this.#buffer.length - this.#position > this.#maxValueBytes)
      this.#fail(`a string of more than ${this.#maxValueBytes} bytes`);
    return end;
  }

  #decode(start: number, end: number): string {
    return decodeText(this.#buffer, start, end) ?? this.#fail('a string with a wrong escape or a control character');
  }

  #startScan(isWanted: boolean): boolean {
    this.#state = SCAN;
    this.#scan.begin();
    this.#scanned = isWanted ? [] : null;
    return true;
  }

  #followValue(): void {
    const end = this.#scan.follow(this.#buffer, this.#position);
    const to = end === -1 ? this.#buffer.length : end;
    if (this.#scanned !== null) {
      this.#scanned.push(this.#buffer.subarray(this.#position, to));
      if (this.#scan.length > this.#maxValueBytes) this.#fail(`a value of more than ${this.#maxValueBytes} bytes`);
    }
    this.#position = to;
    if (end !== -1 || (this.#isLast && this.#scan.mayEnd)) this.#endScan();
  }

  #endScan(): void {
    const shape = this.#expected;
    if (this.#scan.length === 0) this.#unexpected('a value');
    if (shape.kind === 'any') {
      const text = Buffer.concat(this.#scanned ?? []).toString('utf8');
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch (error) {
        this.#fail(`a value was expected: ${(error as Error).message}`);
      }
      this.#take(shape.take, value);
      this.#scanned = null;
    }
    this.#endValue();
  }

  #unexpected(wanted: string): never {
    const byte = this.#buffer[this.#position];
    if (byte === undefined) return this.#fail(`${wanted} was expected, the file ends`);
    const text = this.#buffer.subarray(this.#position, this.#position + 12).toString('utf8');
    return this.#fail(`${wanted} was expected, found ${JSON.stringify(text)}`);
  }

  #fail(what: string): never {
    const offset = this.#base + this.#position;
    const path = describePath(this.#containers, this.#places);
    const where = `byte ${offset.toLocaleString('en-US')}${path === '' ? '' : ` (${path})`}`;
    throw new BadFile({ file: this.#file, where, what });
  }
}
