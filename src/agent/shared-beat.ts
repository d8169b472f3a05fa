/**
 * What the main thread and the watchdog's have in common: a few numbers in shared memory. The main thread counts its
 * beats, and says by which descriptor the daemon is reached and whether a line on it is only half written.
 */

const BEATS = 0;
const BLOCKS = 1;
const DESCRIPTOR = 2;
const WAITING = 3;

export class SharedBeat {
  readonly numbers: Int32Array<SharedArrayBuffer>;

  constructor(numbers: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(16))) {
    this.numbers = numbers;
  }

  beat(): void {
    Atomics.add(this.numbers, BEATS, 1);
  }

  get beats(): number {
    return Atomics.load(this.numbers, BEATS);
  }

  /** Blocks that have ended. */
  get blocks(): number {
    return Atomics.load(this.numbers, BLOCKS);
  }

  set blocks(count: number) {
    Atomics.store(this.numbers, BLOCKS, count);
  }

  /** Null where a line cannot be written: there is no connection, or it stands in the middle of a line of the main thread's. */
  get freeDescriptor(): number | null {
    const fd = Atomics.load(this.numbers, DESCRIPTOR);
    return fd > 0 && Atomics.load(this.numbers, WAITING) === 0 ? fd : null;
  }

  set descriptor(fd: number | null) {
    Atomics.store(this.numbers, DESCRIPTOR, fd ?? 0);
  }

  set isWaiting(isWaiting: boolean) {
    Atomics.store(this.numbers, WAITING, isWaiting ? 1 : 0);
  }
}
