/** A clock that stands still while anything runs, and jumps to the next call when nothing does. */
import type { CallOff } from '../../src/supervisor/index.ts';

interface Call {
  readonly at: number;
  /** Calls of one moment happen in the order in which they were asked for. */
  readonly order: number;
  run: (() => void) | null;
}

export class VirtualTime {
  /** Milliseconds since the world began. */
  now = 0;
  #asked = 0;
  /** A binary heap, the earliest call first. */
  readonly #calls: Call[] = [];

  after(ms: number, run: () => void): CallOff {
    const call: Call = { at: this.now + Math.max(0, ms), order: this.#asked++, run };
    this.#push(call);
    return () => {
      call.run = null;
    };
  }

  /** Moves on to the next call and makes it, unless it lies beyond `until`: then the clock moves there. False: none left. */
  step(until: number): boolean {
    for (;;) {
      const [first] = this.#calls;
      if (first === undefined || first.at > until) {
        this.now = Math.max(this.now, until);
        return false;
      }
      this.#pop();
      if (first.run === null) continue;
      this.now = first.at;
      first.run();
      return true;
    }
  }

  #push(call: Call): void {
    const calls = this.#calls;
    let at = calls.push(call) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(calls[at]!, calls[parent]!)) return;
      [calls[at], calls[parent]] = [calls[parent]!, calls[at]!];
      at = parent;
    }
  }

  #pop(): void {
    const calls = this.#calls;
    const last = calls.pop()!;
    if (calls.length === 0) return;
    calls[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= calls.length) return;
      const right = left + 1;
      const child = right < calls.length && isBefore(calls[right]!, calls[left]!) ? right : left;
      if (!isBefore(calls[child]!, calls[at]!)) return;
      [calls[at], calls[child]] = [calls[child]!, calls[at]!];
      at = child;
    }
  }
}

const isBefore = (a: Call, b: Call): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** What the clock on the wall shows then. Ids of operations are made of it: it is later than the first of them. */
export const wallMsAt = (now: number): number => 1_800_000_000_000 + now;

/** The longest chain of promises between two waits of the supervisor is shorter. */
const MICROTASKS = 12;

/** Lets what awaits go on, before time does. */
export const settleMicrotasks = async (): Promise<void> => {
  for (let turn = 0; turn < MICROTASKS; turn++) await Promise.resolve();
};
