/**
 * What the agent itself takes of the processor, and what it gives up when that is too much. Counted is the time of its
 * own functions: what happens for each request by every 128th, the rest as it is. Not counted are the samples of the
 * profiler, which run in the signal handler of V8; how much those take was measured (docs/internals/agent.md).
 */

/** Of one core, over a window. The reports, pings and ticks of an agent with everything on are far below. */
const MOST_SHARE = 0.03;
const WINDOW_MS = 30_000;

/** What is given up, first things first: `isOn` says whether there is anything to give up. */
export interface Luxury {
  readonly name: string;
  readonly isOn: () => boolean;
  readonly giveUp: () => void;
}

export class OwnCost {
  readonly #luxuries: readonly Luxury[];
  readonly #nowMs: () => number;
  #windowAtMs: number;
  #windowUs = 0;
  #us = 0;
  /** Names of what was given up, until there are new settings. */
  readonly givenUp: string[] = [];

  constructor(luxuries: readonly Luxury[], nowMs: () => number) {
    this.#luxuries = luxuries;
    this.#nowMs = nowMs;
    this.#windowAtMs = nowMs();
  }

  add(us: number): void {
    this.#us += us;
  }

  /** Microseconds, without what is counted elsewhere. */
  get us(): number {
    return this.#us;
  }

  measure<Result>(work: () => Result): Result {
    const beganMs = this.#nowMs();
    try {
      return work();
    } finally {
      this.#us += (this.#nowMs() - beganMs) * 1000;
    }
  }

  /** Called now and then with what is counted elsewhere: gives up one thing where the last window cost too much. */
  check(others: number): void {
    const atMs = this.#nowMs();
    const sinceMs = atMs - this.#windowAtMs;
    if (sinceMs < WINDOW_MS) return;
    const us = this.#us + others;
    const isTooMuch = us - this.#windowUs > sinceMs * 1000 * MOST_SHARE;
    this.#windowAtMs = atMs;
    this.#windowUs = us;
    if (!isTooMuch) return;
    const luxury = this.#luxuries.find(({ isOn }) => isOn());
    if (luxury === undefined) return;
    luxury.giveUp();
    this.givenUp.push(luxury.name);
  }

  /** New settings: everything is tried again. */
  forgive(): void {
    this.givenUp.length = 0;
  }
}
