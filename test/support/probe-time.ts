/** Time for check loops, moved by hand: timers come due in their order, and `stall` lets them all come late together. */
import type { CallOff, ProbeSchedule } from '../../src/probes/index.ts';
import type { Clock } from '../../src/protocol/index.ts';

interface Timer {
  readonly dueAt: number;
  readonly call: () => void;
}

export class ProbeTime implements ProbeSchedule {
  #at = 1000;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];
  readonly clock: Clock = { monotonicMs: () => this.#at, wallMs: () => this.#at };

  get at(): number {
    return this.#at;
  }

  get timers(): number {
    return this.#timers.length;
  }

  background(ms: number, call: () => void): CallOff {
    const timer = { dueAt: this.#at + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((each) => each !== timer));
  }

  soon(call: () => void): void {
    this.#soon.push(call);
  }

  /** Lets time pass, with everything that comes due in it. */
  async pass(ms: number): Promise<void> {
    const until = this.#at + ms;
    for (;;) {
      await this.#settle();
      const next = this.#next();
      if (next === undefined || next.dueAt > until) break;
      this.#at = Math.max(this.#at, next.dueAt);
      this.#fire(next);
    }
    this.#at = until;
  }

  /**
   * So long nothing runs. Then, as in Node's loop: all timers that were due, in their order; what has `arrived` meanwhile; and
   * only then what is asked for in the next turn.
   */
  async stall(ms: number, arrived: () => void = () => undefined): Promise<void> {
    this.#at += ms;
    for (let next = this.#next(); next !== undefined && next.dueAt <= this.#at; next = this.#next()) {
      this.#fire(next);
      await Promise.resolve();
    }
    arrived();
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.pass(0);
  }

  #next(): Timer | undefined {
    return this.#timers.toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    timer.call();
  }

  /** What was asked for in the next turn, and the promises that it settles. */
  async #settle(): Promise<void> {
    do {
      for (const call of this.#soon.splice(0)) call();
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#soon.length > 0);
  }
}
