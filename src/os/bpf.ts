/** The bpf(2) system call: maps, programs, and the few instructions that our programs are made of. Linux only. */
import { addressOf, callKernel } from './libc.ts';
import { isOsError, OsError } from './os-error.ts';

const MAP_CREATE = 0;
const MAP_LOOK_UP = 1;
const MAP_UPDATE = 2;
const PROGRAM_LOAD = 5;

export const MAP_ARRAY = 2;
export const MAP_SOCKETS = 20;

export interface MapShape {
  readonly type: number;
  readonly valueBytes: number;
  readonly entries: number;
  readonly name: string;
}

/** Keys are 32-bit indices. */
export function createMap({ type, valueBytes, entries, name }: MapShape): number {
  const attributes = Buffer.alloc(72);
  attributes.writeUInt32LE(type, 0);
  attributes.writeUInt32LE(4, 4);
  attributes.writeUInt32LE(valueBytes, 8);
  attributes.writeUInt32LE(entries, 12);
  attributes.write(name, 28, 15, 'latin1');
  return callKernel('bpf', MAP_CREATE, attributes, attributes.length);
}

export function updateMap(map: number, index: number, value: Buffer): void {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(index);
  const attributes = elementAttributes(map, key, value);
  callKernel('bpf', MAP_UPDATE, attributes, attributes.length);
}

/** Reads the one value of a map of one entry, again and again, into the same buffer. */
export function openReader(map: number, valueBytes: number): () => Buffer {
  const key = Buffer.alloc(4);
  const value = Buffer.alloc(valueBytes);
  const attributes = elementAttributes(map, key, value);
  const address = addressOf(attributes);
  return () => {
    callKernel('bpf', MAP_LOOK_UP, address, attributes.length);
    // The kernel knows it by address only: it must live as long as this function.
    key.writeUInt32LE(0);
    return value;
  };
}

function elementAttributes(map: number, key: Buffer, value: Buffer): Buffer {
  const attributes = Buffer.alloc(32);
  attributes.writeUInt32LE(map, 0);
  attributes.writeBigUInt64LE(addressOf(key), 8);
  attributes.writeBigUInt64LE(addressOf(value), 16);
  return attributes;
}

const TYPE_REUSEPORT = 21;
// Kernel functions that write to sockets are only for programs under this licence.
const LICENCE = Buffer.from('GPL\0');
const LOG_BYTES = 64 * 1024;

/** Loads a program that selects a socket of a group. What the verifier objects to is in the error's message. */
export function loadSelector(code: Buffer, name: string): number {
  try {
    return load(code, name, null);
  } catch (error) {
    // Refused for want of privilege: there is no log to be had.
    if (isOsError(error, 'EPERM', 'ENOSYS', 'ENOMEM')) throw error;
  }
  const log = Buffer.alloc(LOG_BYTES);
  try {
    return load(code, name, log);
  } catch (error) {
    const words = log.toString('latin1', 0, log.indexOf(0)).trim().split('\n').slice(-3).join(' ');
    throw isOsError(error) ? new OsError('bpf', error.errno, words) : error;
  }
}

function load(code: Buffer, name: string, log: Buffer | null): number {
  const attributes = Buffer.alloc(72);
  attributes.writeUInt32LE(TYPE_REUSEPORT, 0);
  attributes.writeUInt32LE(code.length / 8, 4);
  attributes.writeBigUInt64LE(addressOf(code), 8);
  attributes.writeBigUInt64LE(addressOf(LICENCE), 16);
  if (log !== null) {
    attributes.writeUInt32LE(1, 24);
    attributes.writeUInt32LE(log.length, 28);
    attributes.writeBigUInt64LE(addressOf(log), 32);
  }
  attributes.write(name, 48, 15, 'latin1');
  return callKernel('bpf', PROGRAM_LOAD, attributes, attributes.length);
}

/** Registers: 0 is the result, 1–5 arguments, 6–9 survive calls, 10 the frame. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** Kernel functions by number. */
export const KERNEL = { lookUp: 1, loadBytesRelative: 68, selectReuseport: 82 } as const;

const FRAME: Register = 10;

/** Writes a program, instruction by instruction; jumps go forward to named places. */
export class Assembler {
  readonly #code: Buffer[] = [];
  readonly #jumps: { readonly at: number; readonly place: string }[] = [];
  readonly #places = new Map<string, number>();

  copy = (to: Register, from: Register): this => this.#emit(0xbf, to, from);
  set = (to: Register, value: number): this => this.#emit(0xb7, to, 0, 0, value);
  add = (to: Register, from: Register): this => this.#emit(0x0f, to, from);
  addValue = (to: Register, value: number): this => this.#emit(0x07, to, 0, 0, value);
  shiftLeft = (to: Register, bits: number): this => this.#emit(0x67, to, 0, 0, bits);

  // These work on 32 bits and clear the upper half.
  copyWord = (to: Register, from: Register): this => this.#emit(0xbc, to, from);
  xorWord = (to: Register, from: Register): this => this.#emit(0xac, to, from);
  multiplyWord = (to: Register, value: number): this => this.#emit(0x24, to, 0, 0, value);
  shiftWordRight = (to: Register, bits: number): this => this.#emit(0x74, to, 0, 0, bits);
  /** By as many bits as the other register says. */
  shiftWordRightBy = (to: Register, bits: Register): this => this.#emit(0x7c, to, bits);
  andWord = (to: Register, value: number): this => this.#emit(0x54, to, 0, 0, value);
  moduloWord = (to: Register, by: Register): this => this.#emit(0x9c, to, by);
  /** From the order of the network to the machine's, or back. */
  swapWord = (to: Register): this => this.#emit(0xdc, to, 0, 0, 32);

  loadWord = (to: Register, from: Register, offset: number): this => this.#emit(0x61, to, from, offset);
  loadHalf = (to: Register, from: Register, offset: number): this => this.#emit(0x69, to, from, offset);
  storeWord = (from: Register, offset: number): this => this.#emit(0x63, FRAME, from, offset);
  storeZeroes = (offset: number): this => this.#emit(0x7a, FRAME, 0, offset);
  /** Adds to the word that `at` points to; `register` gets what was there before. */
  fetchAdd = (at: Register, register: Register): this => this.#emit(0xc3, at, register, 0, 0x01);

  frameAddress = (to: Register, offset: number): this => this.copy(to, FRAME).addValue(to, offset);
  map = (to: Register, fd: number): this => this.#emit(0x18, to, 1, 0, fd).#emit(0, 0, 0);
  call = (kernelFunction: number): this => this.#emit(0x85, 0, 0, 0, kernelFunction);
  exit = (): this => this.#emit(0x95, 0, 0);

  jump = (place: string): this => this.#jump(0x05, 0, 0, place);
  jumpIfEqual = (register: Register, value: number, place: string): this => this.#jump(0x15, register, value, place);
  jumpIfNot = (register: Register, value: number, place: string): this => this.#jump(0x55, register, value, place);

  place(name: string): this {
    this.#places.set(name, this.#code.length);
    return this;
  }

  assemble(): Buffer {
    for (const { at, place } of this.#jumps) {
      const target = this.#places.get(place);
      if (target === undefined) throw new Error(`No place ${place} in the program.`);
      this.#code[at]?.writeInt16LE(target - at - 1, 2);
    }
    return Buffer.concat(this.#code);
  }

  #jump(code: number, register: Register, value: number, place: string): this {
    this.#jumps.push({ at: this.#code.length, place });
    return this.#emit(code, register, 0, 0, value);
  }

  #emit(code: number, to: Register, from: Register, offset = 0, value = 0): this {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt8(code, 0);
    bytes.writeUInt8((from << 4) | to, 1);
    bytes.writeInt16LE(offset, 2);
    bytes.writeInt32LE(value | 0, 4);
    this.#code.push(bytes);
    return this;
  }
}
