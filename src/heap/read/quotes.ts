/**
 * Finds the quotes that begin and end strings of JSON, 64 bytes at a time, in WebAssembly with SIMD. Which quotes are escaped comes
 * from the runs of backslashes in a block, without a loop over them (G. Langdale and D. Lemire, "Parsing gigabytes of JSON per
 * second", 2019, section 3.1.1).
 */
// oxlint-disable unicorn/no-useless-spread -- a line of code holds instructions that belong together
import { type Code, type CodeOfFunction, I32, I64, op, toMask, V128 } from './wasm-code.ts';
import { MAX_NUMBERS, OUTPUT_OFFSET } from './wasm-memory.ts';

// Parameters and locals. `CARRY`: 1 where the byte before the block escapes its first one.
const [FROM, TO, OUT, AT] = [0, 1, 2, 3] as const;
const [QUOTES, SLASHES, CARRY, AFTER, SUM] = [4, 5, 6, 7, 8] as const;
const BYTES = 9;

const { i32, i64, v128, i8x16 } = op;
/** A backslash at an odd place of a block is the first of its run where none is before it. */
const EVEN = i64.constant(0x5555_5555_5555_5555n);
const ONE = i64.constant(1n);
const NOT = [i64.constant(-1n), i64.xor];

const classify = (part: number): Code[] => [
  ...[op.get(AT), v128.load(part * 16), op.tee(BYTES)],
  ...[v128.constant(0x22), i8x16.eq, ...toMask(part), ...(part === 0 ? [] : [op.get(QUOTES), i64.or]), op.set(QUOTES)],
  ...[op.get(BYTES), v128.constant(0x5c), i8x16.eq, ...toMask(part)],
  ...[...(part === 0 ? [] : [op.get(SLASHES), i64.or]), op.set(SLASHES)],
];

const dropEscaped: Code[] = [
  ...[op.get(SLASHES), op.get(CARRY), ...NOT, i64.and, op.set(SLASHES)],
  ...[op.get(SLASHES), ONE, i64.shl, op.get(CARRY), i64.or, op.set(AFTER)],
  // The runs that begin at an odd place, added to all: the carry runs through each of those to its end.
  ...[op.get(SLASHES), EVEN, ...NOT, i64.and, op.get(AFTER), ...NOT, i64.and, op.get(SLASHES), i64.add, op.set(SUM)],
  ...[op.get(SUM), op.get(SLASHES), i64.ltU, i64.extendU, op.set(CARRY)],
  ...[op.get(SUM), ONE, i64.shl, EVEN, i64.xor, op.get(AFTER), i64.and, ...NOT],
  ...[op.get(QUOTES), i64.and, op.set(QUOTES)],
];

const FIND: Code[] = [
  ...[op.get(FROM), op.set(AT)],
  op.block(
    op.loop(
      ...[op.get(AT), i32.constant(64), i32.add, op.get(TO), i32.gtU, op.brIf(1)],
      ...[op.get(OUT), i32.constant(OUTPUT_OFFSET + (MAX_NUMBERS - 64) * 4), i32.gtU, op.brIf(1)],
      ...[0, 1, 2, 3].flatMap(classify),
      ...[op.get(SLASHES), op.get(CARRY), i64.or, i64.eqz, i32.eqz],
      op.when(...dropEscaped),
      op.block(
        op.loop(
          ...[op.get(QUOTES), i64.eqz, op.brIf(1)],
          ...[op.get(OUT), op.get(AT), op.get(QUOTES), i64.ctz, i32.wrap, i32.add, i32.store],
          ...[op.get(OUT), i32.constant(4), i32.add, op.set(OUT)],
          ...[op.get(QUOTES), op.get(QUOTES), ONE, i64.sub, i64.and, op.set(QUOTES)],
          op.br(0),
        ),
      ),
      ...[op.get(AT), i32.constant(64), i32.add, op.set(AT)],
      op.br(0),
    ),
  ),
  ...[op.get(OUT), op.setGlobal(0), op.get(CARRY), i32.wrap, op.setGlobal(1)],
  op.get(AT),
];

export const FIND_QUOTES: CodeOfFunction = {
  name: 'findQuotes',
  params: [I32, I32, I32],
  results: [I32],
  locals: [I32, I64, I64, I64, I64, I64, V128],
  body: FIND.flat(),
};
