/**
 * Walks over the outermost fields of a pprof message without building it. The codec (`pprof-format`) decodes one message
 * at a time from here: decoding a whole profile at once would take thirty times its size, and the codec does not notice
 * a cut or an endless number, so both are looked for here, one level further down as well.
 */
import { BadFile } from '../../input/index.ts';

export interface WireField {
  readonly field: number;
  /** Of a number: its bytes; of everything else: what is inside. */
  readonly bytes: Uint8Array;
  /** Offset of the field in the file. */
  readonly at: number;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** 64 bits at seven a byte. */
const MAX_VARINT_BYTES = 10;
/** Fields of `Profile` that are messages of their own, and in each the fields that are. */
const MESSAGES: ReadonlyMap<number, readonly number[]> = new Map([
  [1, []], // sample_type
  [2, [3]], // sample, with its labels
  [3, []], // mapping
  [4, [4]], // location, with its lines
  [5, []], // function
  [11, []], // period_type
]);

export function* listFields(bytes: Uint8Array, file: string): Generator<WireField, void, undefined> {
  for (const found of walk(bytes, 0, file)) {
    const messages = MESSAGES.get(found.field);
    if (messages !== undefined) checkMessage(found, messages, file);
    yield found;
  }
}

/** Refuses a file whose first byte cannot begin a profile. */
export function checkFirstField([tag = 0]: Uint8Array, file: string): void {
  if (!isField(tag)) throw new BadFile({ file, where: 'byte 0', what: 'not a field of a pprof profile' });
}

/** pprof has 15 fields, all of them variable numbers or of a told length; the codec cannot read anything else. */
const isField = (tag: number): boolean =>
  tag >= 8 && tag < 0x80 && ((tag & 7) === VARINT || (tag & 7) === LENGTH_DELIMITED);

function checkMessage({ bytes, at }: WireField, messages: readonly number[], file: string): void {
  for (const inner of walk(bytes, at, file)) if (messages.includes(inner.field)) checkMessage(inner, [], file);
}

function* walk(bytes: Uint8Array, base: number, file: string): Generator<WireField, void, undefined> {
  const fail = (at: number, what: string): never => {
    throw new BadFile({ file, where: `byte ${(base + at).toLocaleString('en-US')}`, what });
  };
  const endOfVarint = (from: number): number => {
    for (let at = from; at < bytes.length; at += 1) {
      if ((bytes[at] as number) < 0x80) return at + 1;
      if (at - from + 1 >= MAX_VARINT_BYTES) fail(from, 'a number of more than 64 bits');
    }
    return fail(from, 'the file ends in the middle of a number');
  };
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const tag = bytes[at] as number;
    const field = tag >> 3;
    const type = tag & 7;
    if (!isField(tag)) fail(at, 'not a field of a pprof profile');
    at += 1;
    let from = at;
    if (type === VARINT) at = endOfVarint(at);
    else {
      from = endOfVarint(at);
      let length = 0;
      for (let place = from - 1; place >= at; place -= 1) length = length * 128 + ((bytes[place] as number) & 0x7f);
      at = from + length;
    }
    if (at > bytes.length) fail(start, 'the file ends in the middle of a field');
    yield { field, bytes: bytes.subarray(from, at), at: base + from };
  }
}
