/**
 * The memory that the main thread and the thread that answers for it share: when the event loop last came around. A
 * number of system-wide monotonic nanoseconds, so both threads mean the same by it.
 */

/** How often the event loop shows that it comes around. */
export const BEAT_MS = 100;

const NANOSECONDS_A_MS = 1_000_000n;

export const now = (): bigint => process.hrtime.bigint();

export class Heartbeat {
  readonly memory: SharedArrayBuffer;
  readonly #at: BigInt64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#at = new BigInt64Array(memory);
  }

  beat(): void {
    Atomics.store(this.#at, 0, now());
  }

  /** Milliseconds since the last beat, or since `from` where that was later. */
  silentMs(from: bigint): number {
    const last = Atomics.load(this.#at, 0);
    return Number((now() - (last > from ? last : from)) / NANOSECONDS_A_MS);
  }
}
