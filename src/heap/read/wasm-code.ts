/**
 * Just enough of the binary format of WebAssembly to write one module by hand, instruction by instruction: no text format,
 * no toolchain. See https://webassembly.github.io/spec/core/binary/ for the numbers.
 */
// oxlint-disable unicorn/no-useless-spread -- a line of code holds instructions that belong together

export type Code = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

const unsigned = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
};

const signed = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    if ((rest >> 6n === 0n && byte < 0x40) || (rest >> 6n === -1n && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
};

const simd = (operation: number, ...rest: number[]): number[] => [0xfd, ...unsigned(operation), ...rest];

/** Each gives the bytes of one instruction; operands stand on the stack, as in the specification. */
export const op = {
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  tee: (local: number): Code => [0x22, ...unsigned(local)],
  setGlobal: (global: number): Code => [0x24, ...unsigned(global)],
  block: (...body: Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b],
  loop: (...body: Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b],
  when: (...body: Code[]): Code => [0x04, 0x40, ...body.flat(), 0x0b],
  br: (depth: number): Code => [0x0c, ...unsigned(depth)],
  brIf: (depth: number): Code => [0x0d, ...unsigned(depth)],
  i32: {
    constant: (value: number): Code => [0x41, ...signed(BigInt(value | 0))],
    eqz: [0x45],
    gtU: [0x4b],
    gtS: [0x4a],
    add: [0x6a],
    sub: [0x6b],
    store: [0x36, 0x02, 0x00],
    wrap: [0xa7],
  },
  i64: {
    constant: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
    load: [0x29, 0x00, 0x00],
    eqz: [0x50],
    ne: [0x52],
    ltU: [0x54],
    gtU: [0x56],
    ctz: [0x7a],
    add: [0x7c],
    sub: [0x7d],
    mul: [0x7e],
    and: [0x83],
    or: [0x84],
    xor: [0x85],
    shl: [0x86],
    shrU: [0x88],
    extendU: [0xad],
  },
  v128: {
    load: (offset: number): Code => simd(0x00, 0x00, ...unsigned(offset)),
    constant: (byte: number): Code => simd(0x0c, ...Array.from<number>({ length: 16 }).fill(byte)),
  },
  i8x16: {
    eq: simd(0x23),
    leU: simd(0x2a),
    bitmask: simd(0x64),
    sub: simd(0x71),
  },
} as const satisfies Record<string, unknown>;

/** The 16 bits of a comparison of bytes, at their place among the 64 of four such. */
export const toMask = (part: number): Code[] => [
  op.i8x16.bitmask,
  op.i64.extendU,
  ...(part === 0 ? [] : [op.i64.constant(BigInt(part * 16)), op.i64.shl]),
];

export interface CodeOfFunction {
  readonly name: string;
  readonly params: readonly number[];
  readonly results: readonly number[];
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A module with a memory of its own of `pages` times 64 KiB, `globals` numbers that it changes, and these functions. */
export function assemble(
  functions: readonly CodeOfFunction[],
  pages: number,
  globals: readonly string[],
): Uint8Array<ArrayBuffer> {
  const list = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
  const sized = (bytes: Code): number[] => [...unsigned(bytes.length), ...bytes];
  const section = (id: number, items: readonly Code[]): number[] => [id, ...sized(list(items))];
  const name = (text: string): number[] => sized([...Buffer.from(text)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      functions.map(({ params, results }) => [
        0x60,
        ...list(params.map((type) => [type])),
        ...list(results.map((type) => [type])),
      ]),
    ),
    ...section(
      3,
      functions.map((_, at) => unsigned(at)),
    ),
    ...section(5, [[0x01, ...unsigned(pages), ...unsigned(pages)]]),
    ...section(
      6,
      globals.map(() => [I32, 0x01, ...op.i32.constant(0), 0x0b]),
    ),
    ...section(7, [
      [...name('memory'), 0x02, 0x00],
      ...functions.map((code, at) => [...name(code.name), 0x00, ...unsigned(at)]),
      ...globals.map((global, at) => [...name(global), 0x03, ...unsigned(at)]),
    ]),
    ...section(
      10,
      functions.map(({ locals, body }) => sized([...list(locals.map((type) => [0x01, type])), ...body, 0x0b])),
    ),
  ]);
}
