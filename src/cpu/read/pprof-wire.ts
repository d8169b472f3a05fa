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
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
/** 64 bits at seven a byte. */
const MAX_VARINT_BYTES = 10;
/** Fields of `Profile` that are messages of their own: sample_type, sample, mapping, location, function, period_type. */
const MESSAGES = new Set([1, 2, 3, 4, 5, 11]);

export function* listFields(bytes: Uint8Array, file: string): Generator<WireField, void, undefined> {
  for (const found of walk(bytes, 0, file)) {
    if (MESSAGES.has(found.field)) checkMessage(found, file);
    yield found;
  }
}

function checkMessage({ bytes, at }: WireField, file: string): void {
  for (const inner of walk(bytes, at, file)) void inner;
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
    // pprof has 15 fields; numbers beyond, which take more than a byte, are in no profile, and the codec cannot read them.
    const field = tag >> 3;
    const type = tag & 7;
    if (tag >= 0x80 || field === 0) fail(at, 'not a field of a pprof profile');
    at += 1;
    let from = at;
    if (type === VARINT) at = endOfVarint(at);
    else if (type === LENGTH_DELIMITED) {
      from = endOfVarint(at);
      let length = 0;
      for (let place = from - 1; place >= at; place -= 1) length = length * 128 + ((bytes[place] as number) & 0x7f);
      at = from + length;
    } else if (type === FIXED64) at += 8;
    else if (type === FIXED32) at += 4;
    else fail(start, `a field of type ${type}, which protobuf does not have`);
    if (at > bytes.length) fail(start, 'the file ends in the middle of a field');
    if (type === VARINT || type === LENGTH_DELIMITED) yield { field, bytes: bytes.subarray(from, at), at: base + from };
  }
}
