/**
 * Exact dispatch (root, or CAP_BPF and CAP_NET_ADMIN): an eBPF program on a reuseport group walks a schedule with an
 * atomic counter, or looks the client's address up in it, and selects from an array of sockets. The array's indices are
 * ours, so sockets that join and leave the group move nothing. It counts what each socket was given.
 */
import { Assembler, createMap, KERNEL, loadSelector, MAP_ARRAY, MAP_SOCKETS, openReader, updateMap } from './bpf.ts';
import { MIX, STICKY_BUCKETS } from './client-hash.ts';
import { SYSTEM } from './constants.ts';
import { closeDescriptor } from './descriptor.ts';
import { call } from './libc.ts';
import { isOsError } from './os-error.ts';

/** Longest schedule. */
export const SCHEDULE_ENTRIES = STICKY_BUCKETS;
/** The schedule is one value, so that it changes in one step: its length, how turns are stretched, an index each. */
const LENGTH_AT = 0;
const SHIFT_AT = 4;
const INDICES_AT = 8;
const SCHEDULE_BYTES = INDICES_AT + SCHEDULE_ENTRIES * 2;
/** Sockets on one port: the slots of an app, twice over for its two lanes, with room to spare. The program's mask. */
export const MAX_SOCKETS = 1024;
const COUNTS_BYTES = MAX_SOCKETS * 4;
/** Longest run: 2 to this power. */
const MAX_SHIFT = 15;
const SO_ATTACH_REUSEPORT_EBPF = 52;

export type ExactMode = 'in-turn' | 'sticky';

export class ExactDispatch {
  readonly #counter: number;
  readonly #schedule: number;
  readonly #sockets: number;
  readonly #counts: number;
  readonly #readCounts: () => Buffer;
  readonly #program: number;

  /** Throws an `OsError` where the system does not let us. */
  static create(mode: ExactMode): ExactDispatch {
    return new ExactDispatch(mode);
  }

  private constructor(mode: ExactMode) {
    const opened: number[] = [];
    const keep = (fd: number): number => {
      opened.push(fd);
      return fd;
    };
    try {
      this.#counter = keep(createMap({ type: MAP_ARRAY, valueBytes: 4, entries: 1, name: 'drover_turn' }));
      this.#schedule = keep(
        createMap({ type: MAP_ARRAY, valueBytes: SCHEDULE_BYTES, entries: 1, name: 'drover_sched' }),
      );
      this.#sockets = keep(
        createMap({ type: MAP_SOCKETS, valueBytes: 4, entries: MAX_SOCKETS, name: 'drover_shards' }),
      );
      this.#counts = keep(createMap({ type: MAP_ARRAY, valueBytes: COUNTS_BYTES, entries: 1, name: 'drover_counts' }));
      this.#readCounts = openReader(this.#counts, COUNTS_BYTES);
      const maps = {
        counter: this.#counter,
        schedule: this.#schedule,
        sockets: this.#sockets,
        counts: this.#counts,
      };
      this.#program = keep(loadSelector(selectorProgram(maps, mode), 'drover_select'));
    } catch (error) {
      for (const fd of opened) closeDescriptor(fd);
      throw error;
    }
  }

  /**
   * False when the socket cannot be in the array yet. It may be in another one: that of a daemon that died is freed some
   * milliseconds after its program was detached. Or it was bound without `SO_REUSEPORT`, and becomes a member of a group
   * only when a second socket listens beside it. A closed socket leaves the array by itself.
   */
  setSocket(index: number, fd: number): boolean {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(fd);
    try {
      updateMap(this.#sockets, index, value);
      return true;
    } catch (error) {
      if (isOsError(error, 'EBUSY', 'EINVAL')) return false;
      throw error;
    }
  }

  /**
   * The turn of each coming connection, or the owner of each sticky bucket, as indices of the array. Each turn is a run
   * of 2 to the power of `shift` connections; nothing to sticky ones.
   */
  setSchedule(indices: readonly number[], shift = 0): void {
    if (!(shift >= 0 && shift <= MAX_SHIFT)) throw new RangeError(`A turn cannot be stretched by ${shift} bits.`);
    if (indices.length === 0 || indices.length > SCHEDULE_ENTRIES) {
      throw new RangeError(`A schedule has 1 to ${SCHEDULE_ENTRIES} entries, not ${indices.length}.`);
    }
    const value = Buffer.alloc(SCHEDULE_BYTES);
    value.writeUInt32LE(indices.length, LENGTH_AT);
    value.writeUInt32LE(shift, SHIFT_AT);
    indices.forEach((index, at) => value.writeUInt16LE(index, INDICES_AT + at * 2));
    updateMap(this.#schedule, 0, value);
  }

  /** How many connections each index of the array was given so far, modulo 2³²: begun handshakes, strictly speaking. */
  counts(): (index: number) => number {
    const values = this.#readCounts();
    return (index) => values.readUInt32LE(index * 4);
  }

  /** Puts the program in force for the group of this socket. */
  attach(fd: number): void {
    const program = Buffer.alloc(4);
    program.writeInt32LE(this.#program);
    call('setsockopt', fd, SYSTEM.SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program, program.length);
  }

  /** The program stays in force for groups that it is attached to; only our hold on it ends. */
  close(): void {
    for (const fd of [this.#program, this.#counts, this.#sockets, this.#schedule, this.#counter]) closeDescriptor(fd);
  }
}

interface SelectorMaps {
  readonly counter: number;
  readonly schedule: number;
  readonly sockets: number;
  readonly counts: number;
}

// Places in the program's frame.
const ZERO_KEY = -8;
const INDEX_KEY = -16;
const CLIENT = -32;
// The context's field with the protocol, and IPv6 in it, in the order of the network.
const PROTOCOL_FIELD = 20;
const IPV6 = 0xdd86;
const FROM_NETWORK_HEADER = 1;

/** Whatever goes wrong ends in `out`: the kernel then picks by its own hash. */
function selectorProgram(maps: SelectorMaps, mode: ExactMode): Buffer {
  const program = new Assembler().copy(6, 1).storeZeroes(ZERO_KEY);
  if (mode === 'in-turn') takeTurn(program, maps.counter);
  else hashClient(program);
  findValue(program, maps.schedule)
    .loadWord(2, 0, LENGTH_AT)
    .jumpIfEqual(2, 0, 'out')
    .loadWord(3, 0, SHIFT_AT)
    .andWord(3, MAX_SHIFT)
    .shiftWordRightBy(7, 3)
    .moduloWord(7, 2)
    .andWord(7, SCHEDULE_ENTRIES - 1)
    .shiftLeft(7, 1)
    .add(0, 7)
    .loadHalf(8, 0, INDICES_AT)
    .storeWord(8, INDEX_KEY);
  return findValue(program, maps.counts)
    .andWord(8, MAX_SOCKETS - 1)
    .shiftLeft(8, 2)
    .add(0, 8)
    .set(7, 1)
    .fetchAdd(0, 7)
    .copy(1, 6)
    .map(2, maps.sockets)
    .frameAddress(3, INDEX_KEY)
    .set(4, 0)
    .call(KERNEL.selectReuseport)
    .place('out')
    .set(0, 1)
    .exit()
    .assemble();
}

/** Register 7 becomes the number of connections before this one. */
function takeTurn(program: Assembler, counter: number): void {
  findValue(program, counter).set(7, 1).fetchAdd(0, 7);
}

/** Register 0 becomes the address of the one value of a map. */
function findValue(program: Assembler, map: number): Assembler {
  return program.map(1, map).frameAddress(2, ZERO_KEY).call(KERNEL.lookUp).jumpIfEqual(0, 0, 'out');
}

/** Register 7 becomes the bucket of the client's address, as `client-hash.ts` has it. */
function hashClient(program: Assembler): void {
  program
    .storeZeroes(CLIENT)
    .storeZeroes(CLIENT + 8)
    .copy(1, 6)
    .frameAddress(3, CLIENT)
    .set(5, FROM_NETWORK_HEADER)
    .loadWord(8, 6, PROTOCOL_FIELD)
    .jumpIfEqual(8, IPV6, 'v6')
    .set(2, 12)
    .set(4, 4)
    .jump('read')
    .place('v6')
    .set(2, 8)
    .set(4, 16)
    .place('read')
    .call(KERNEL.loadBytesRelative)
    .jumpIfNot(0, 0, 'out')
    .loadWord(7, 10, CLIENT);
  for (const offset of [4, 8, 12]) program.loadWord(1, 10, CLIENT + offset).xorWord(7, 1);
  program.swapWord(7);
  const [first, second, third] = MIX.shifts;
  const xorShift = (bits: number): Assembler => program.copyWord(1, 7).shiftWordRight(1, bits).xorWord(7, 1);
  xorShift(first).multiplyWord(7, MIX.multipliers[0]);
  xorShift(second).multiplyWord(7, MIX.multipliers[1]);
  xorShift(third).andWord(7, STICKY_BUCKETS - 1);
}
