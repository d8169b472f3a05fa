/**
 * Reads pprof profiles (https://github.com/google/pprof/blob/main/proto/profile.proto). Of several kinds of values the
 * one that counts time is taken: the profile's default if it does, else the last that does; without any, the last kind.
 * Samples in pprof have no order in time.
 *
 * The file is held whole, the profile is not. Refuses numbers of locations, functions and strings that are not there,
 * and values that are none.
 */
import { Function as PprofFunction, Location, Sample, ValueType } from 'pprof-format';
import { BadFile, NumberColumn } from '../../input/index.ts';
import type { CpuProfile } from '../model/profile.ts';
import { NO_LINE_TICKS, NO_SAMPLES } from '../model/samples.ts';
import { StackBuilder } from '../model/stack-builder.ts';
import { checkFirstField, listFields, type WireField } from './pprof-wire.ts';
import { MAX_US, type RawProfile } from './raw-profile.ts';
import { toPosition } from './position.ts';

/** Decompressed; pprof is so compact that this is hours of a busy service. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Of locations and of functions; a map could not hold twice as many. */
const MAX_RECORDS = 8_000_000;

const US_PER: ReadonlyMap<string, number> = new Map([
  ['nanoseconds', 1e-3],
  ['microseconds', 1],
  ['milliseconds', 1e3],
  ['seconds', 1e6],
]);

export async function readPprof(chunks: AsyncIterable<Uint8Array>, file: string): Promise<RawProfile> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    // What does not even begin like one need not be held.
    if (size === 0) checkFirstField(chunk, file);
    size += chunk.length;
    if (size > MAX_BYTES)
      throw new BadFile({ file, where: null, what: `a pprof profile of more than ${MAX_BYTES} bytes` });
    parts.push(chunk);
  }
  return new PprofReader(Buffer.concat(parts), file).finish();
}

interface FunctionRecord {
  readonly nameIndex: number;
  readonly fileIndex: number;
  readonly startLine: number;
}

interface LineRecord {
  readonly functionId: number;
  readonly line: number;
  readonly column: number;
}

class PprofReader {
  readonly #file: string;
  readonly #bytes: Buffer;
  readonly #types: ValueType[] = [];
  /** Where strings and samples are; they are looked at when their turn comes. */
  readonly #stringStarts = new NumberColumn();
  readonly #stringEnds = new NumberColumn();
  readonly #sampleStarts = new NumberColumn();
  readonly #sampleEnds = new NumberColumn();
  readonly #functions = new Map<number, FunctionRecord>();
  /** Per location: its functions, innermost first; more than one where calls were inlined. */
  readonly #locations = new Map<number, { readonly lines: readonly LineRecord[]; readonly address: number }>();
  readonly #firstLine = new Map<number, number>();
  readonly #builder = new StackBuilder();
  readonly #framesOf = new Map<number, readonly number[]>();
  #defaultType = 0;

  constructor(bytes: Buffer, file: string) {
    this.#file = file;
    this.#bytes = bytes;
    for (const field of listFields(bytes, file)) this.#take(field);
  }

  #take({ field, bytes, at }: WireField): void {
    if (field === 1) this.#types.push(ValueType.decode(bytes));
    else if (field === 2) {
      this.#sampleStarts.push(at);
      this.#sampleEnds.push(at + bytes.length);
    } else if (field === 4) this.#addLocation(Location.decode(bytes));
    else if (field === 5) this.#addFunction(PprofFunction.decode(bytes));
    else if (field === 6) {
      this.#stringStarts.push(at);
      this.#stringEnds.push(at + bytes.length);
    } else if (field === 14) this.#defaultType = readVarint(bytes);
    if (this.#locations.size > MAX_RECORDS || this.#functions.size > MAX_RECORDS)
      this.#fail(`byte ${at.toLocaleString('en-US')}`, `more than ${MAX_RECORDS} locations or functions`);
  }

  #addLocation({ id, line, address }: Location): void {
    const lines = line.map(({ functionId, line: number, column }) => ({
      functionId: Number(functionId),
      line: toPosition(number),
      column: toPosition(column),
    }));
    for (const { functionId, line: number } of lines) {
      const first = this.#firstLine.get(functionId);
      if (number > 0 && (first === undefined || number < first)) this.#firstLine.set(functionId, number);
    }
    this.#locations.set(Number(id), { lines, address: Number(address) });
  }

  #addFunction({ id, name, filename, startLine }: PprofFunction): void {
    this.#functions.set(Number(id), {
      nameIndex: Number(name),
      fileIndex: Number(filename),
      startLine: toPosition(startLine),
    });
  }

  finish(): RawProfile {
    const { index, factor, unit, notes } = this.#chooseValue();
    const countIndex = this.#types.findIndex(({ unit: name }) => this.#string(name, 'sample_type') === 'count');
    let total = 0;
    let hitTotal = 0;
    for (let place = 0; place < this.#sampleStarts.count; place += 1) {
      const at = this.#sampleStarts.at(place);
      const { locationId, value } = Sample.decode(this.#bytes.subarray(at, this.#sampleEnds.at(place)));
      const where = (): string => `sample ${place + 1} (byte ${at.toLocaleString('en-US')})`;
      if (value.length !== this.#types.length)
        this.#fail(where(), `${value.length} values for ${this.#types.length} kinds of values`);
      let node = 0;
      for (const id of locationId.toReversed())
        for (const fn of this.#frames(Number(id), where)) node = this.#builder.child(node, fn);
      const weight = toSigned(value[index] ?? 0) * factor;
      const hits = countIndex === -1 ? 1 : toSigned(value[countIndex] ?? 0);
      total += weight;
      if (!(weight >= 0 && total <= MAX_US)) this.#fail(where(), `a value of ${weight} ${unit} is none`);
      const count = hits >= 0 && hits <= 0xffff_ffff ? hits : 0;
      hitTotal += count;
      this.#builder.add(node, weight, count);
    }
    if (this.#sampleStarts.count === 0) this.#fail(null, 'there is not a single sample');
    return {
      ...this.#builder.finish(),
      functions: this.#builder.functions,
      withoutFile: this.#builder.functions.isFromV8 ? 'native' : 'application',
      lineTicks: NO_LINE_TICKS,
      samples: NO_SAMPLES,
      isChronological: false,
      sampleCount: hitTotal,
      durationUs: total,
      unit,
      deoptReasons: new Map(),
      notes,
    };
  }

  #chooseValue(): {
    readonly index: number;
    readonly factor: number;
    readonly unit: CpuProfile['unit'];
    readonly notes: string[];
  } {
    const kinds = this.#types.map(({ type, unit }) => ({
      name: this.#string(type, 'sample_type'),
      unit: this.#string(unit, 'sample_type'),
    }));
    if (kinds.length === 0) this.#fail(null, 'it does not say what its values are (no sample_type)');
    const preferred = this.#string(this.#defaultType, 'default_sample_type');
    const isTime = ({ unit }: { readonly unit: string }): boolean => US_PER.has(unit);
    let index = kinds.findIndex((kind) => kind.name === preferred && isTime(kind));
    if (index === -1) index = kinds.findLastIndex(isTime);
    if (index === -1) index = kinds.length - 1;
    const { name, unit } = kinds[index] as (typeof kinds)[number];
    const others = kinds.filter((_, other) => other !== index && isTime(kinds[other] as (typeof kinds)[number]));
    const notes = others.map((other) => `shown is ${name}; the file has ${other.name} as well`);
    const factor = US_PER.get(unit);
    if (factor !== undefined) return { index, factor, unit: 'microseconds', notes };
    return { index, factor: 1, unit: unit === 'bytes' ? 'bytes' : 'samples', notes };
  }

  /** Functions of a location, outermost first. */
  #frames(id: number, where: () => string): readonly number[] {
    const known = this.#framesOf.get(id);
    if (known !== undefined) return known;
    const location = this.#locations.get(id);
    if (location === undefined) this.#fail(where(), `there is no location ${id}`);
    const { lines, address } = location;
    const frames = lines.toReversed().map((line) => this.#addPlace(line, where));
    // Code that nobody knew a name for; pprof shows its address.
    if (frames.length === 0) frames.push(this.#builder.functions.add(`0x${address.toString(16)}`, '', 0, 0));
    this.#framesOf.set(id, frames);
    return frames;
  }

  #addPlace({ functionId, column }: LineRecord, where: () => string): number {
    const record = this.#functions.get(functionId);
    if (record === undefined) this.#fail(where(), `there is no function ${functionId}`);
    const { nameIndex, fileIndex, startLine } = record;
    // Where a writer leaves out the line of the function, the first of its lines that was seen stands for it.
    const line = startLine > 0 ? startLine : (this.#firstLine.get(functionId) ?? 0);
    const name = this.#string(nameIndex, `function ${functionId}`);
    const file = this.#string(fileIndex, `function ${functionId}`);
    const [nameless, ownLine = line, ownColumn = column] = NAMELESS.exec(name) ?? [];
    return nameless === undefined
      ? this.#builder.functions.add(name, file, line, column)
      : this.#builder.functions.add('', file, Number(ownLine), Number(ownColumn));
  }

  #string(index: number | bigint, where: string): string {
    const place = Number(index);
    // A profile without any string has none at 0 either, which is the empty one.
    if (place === 0 && this.#stringStarts.count === 0) return '';
    if (place >= this.#stringStarts.count) this.#fail(where, `there is no string ${index}`);
    return this.#bytes.toString('utf8', this.#stringStarts.at(place), this.#stringEnds.at(place));
  }

  #fail(where: string | null, what: string): never {
    throw new BadFile({ file: this.#file, where, what });
  }
}

/** As @datadog/pprof names functions without a name, so that those of one file stay apart: by their place. */
const NAMELESS = /^\(anonymous:L#([0-9]{1,9})(?::C#([0-9]{1,9}))?\)$/;

const readVarint = (bytes: Uint8Array): number => bytes.reduceRight((value, byte) => value * 128 + (byte & 0x7f), 0);

/** The codec gives the bits of a negative number as a large one. */
const toSigned = (value: number | bigint): number =>
  typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : value;
