/**
 * Dispatch in expectation, for anyone: a classic BPF program on a reuseport group compares a random word with cumulative
 * weights. It returns positions in the group's own order, in which sockets stand as they began to listen, and where the
 * last one takes the place of one that is closed.
 */
import { isOsError } from './os-error.ts';
import { MIX, STICKY_BUCKETS } from './client-hash.ts';
import { SYSTEM } from './constants.ts';
import { addressOf, call, tryCall } from './libc.ts';

/** Weights by position, or the position of each sticky bucket. */
export type ClassicRule =
  | { readonly kind: 'weights'; readonly weights: readonly number[] }
  | { readonly kind: 'sticky'; readonly table: readonly number[] };

const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_DETACH_REUSEPORT_BPF = 68;

/** Puts the rule in force for the group of this socket, in the place of whatever program was there. */
export function attachClassic(fd: number, rule: ClassicRule): void {
  const code = encode(rule.kind === 'weights' ? weightProgram(rule.weights) : stickyProgram(rule.table));
  const program = Buffer.alloc(16);
  program.writeUInt16LE(code.length / 8, 0);
  program.writeBigUInt64LE(addressOf(code), 8);
  call('setsockopt', fd, SYSTEM.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, program.length);
}

/** Leaves the group to the kernel's own hash. */
export function detachProgram(fd: number): void {
  try {
    // Refused where there is no program, or no group: then there is nothing to do.
    tryCall('setsockopt', fd, SYSTEM.SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, Buffer.alloc(4), 4);
  } catch (error) {
    // The group has none: which is what was wanted.
    if (!isOsError(error, 'ENOENT')) throw error;
  }
}

/** Code, jumps where true and where false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

const LOAD_WORD = 0x20;
const LOAD_BYTE = 0x30;
const LOAD_SCRATCH_X = 0x61;
const STORE = 0x02;
const COPY_TO_X = 0x07;
const XOR_X = 0xac;
const MULTIPLY = 0x24;
const SHIFT_RIGHT = 0x74;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;

/** Offsets below these mean "a random word" and "from the network header". */
const RANDOM = 0xfffff038;
const NETWORK_HEADER = 0xfff00000;

function weightProgram(weights: readonly number[]): readonly Instruction[] {
  const shares = weights.map((weight, position) => ({ weight, position })).filter(({ weight }) => weight > 0);
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const program: Instruction[] = [[LOAD_WORD, 0, 0, RANDOM]];
  let reached = 0;
  for (const { weight, position } of shares.slice(0, -1)) {
    reached += weight;
    const threshold = Math.min(0xffffffff, Math.round((reached / total) * 2 ** 32));
    program.push([JUMP_IF_AT_LEAST, 1, 0, threshold], [RETURN, 0, 0, position]);
  }
  program.push([RETURN, 0, 0, shares.at(-1)?.position ?? 0]);
  return program;
}

const HASH: readonly Instruction[] = [
  ...xorShift(MIX.shifts[0]),
  [MULTIPLY, 0, 0, MIX.multipliers[0]],
  ...xorShift(MIX.shifts[1]),
  [MULTIPLY, 0, 0, MIX.multipliers[1]],
  ...xorShift(MIX.shifts[2]),
  [AND, 0, 0, STICKY_BUCKETS - 1],
];

function stickyProgram(table: readonly number[]): readonly Instruction[] {
  // The source address is at byte 12 of an IPv4 header and 8 of an IPv6 one.
  const v4: readonly Instruction[] = [[LOAD_WORD, 0, 0, NETWORK_HEADER + 12]];
  const v6: readonly Instruction[] = [
    [LOAD_WORD, 0, 0, NETWORK_HEADER + 8],
    ...[12, 16, 20].flatMap((offset): Instruction[] => [
      [STORE, 0, 0, 0],
      [LOAD_SCRATCH_X, 0, 0, 0],
      [LOAD_WORD, 0, 0, NETWORK_HEADER + offset],
      [XOR_X, 0, 0, 0],
    ]),
  ];
  return [
    [LOAD_BYTE, 0, 0, NETWORK_HEADER],
    [SHIFT_RIGHT, 0, 0, 4],
    [JUMP_IF_EQUAL, 0, v4.length + 1, 4],
    ...v4,
    [JUMP, 0, 0, v6.length],
    ...v6,
    ...HASH,
    ...lookUp(table, 0, table.length),
  ];
}

function xorShift(bits: number): readonly Instruction[] {
  return [
    [COPY_TO_X, 0, 0, 0],
    [SHIFT_RIGHT, 0, 0, bits],
    [XOR_X, 0, 0, 0],
  ];
}

/** A tree of comparisons: there are no arrays in classic BPF. */
function lookUp(table: readonly number[], from: number, to: number): readonly Instruction[] {
  const first = table[from] ?? 0;
  if (table.slice(from, to).every((position) => position === first)) return [[RETURN, 0, 0, first]];
  const middle = (from + to) >>> 1;
  const left = lookUp(table, from, middle);
  const right = lookUp(table, middle, to);
  // Conditional jumps reach 255 instructions, unconditional ones any number.
  return [[JUMP_IF_AT_LEAST, 0, 1, middle], [JUMP, 0, 0, left.length], ...left, ...right];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, ifTrue, ifFalse, operand], at) => {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4);
  });
  return bytes;
}
