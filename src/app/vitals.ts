/** The four figures that budgets and thresholds speak of, measured since the last reading. */
import type { BudgetName } from '../protocol/index.ts';
import { DelaySampler } from '../runtime/index.ts';

export type VitalFigures = Readonly<Record<BudgetName, number>>;

const MEGABYTE = 1024 * 1024;

export class Vitals {
  readonly #delay = new DelaySampler();
  #cpu = process.cpuUsage();
  #at = performance.now();

  /** Samples the event loop from now on, with a timer that keeps no process alive. */
  start(): void {
    this.#cpu = process.cpuUsage();
    this.#at = performance.now();
    this.#delay.start();
  }

  stop(): void {
    this.#delay.stop();
  }

  /**
   * `eventLoopLagMs` is the longest that a turn was late since the last reading: one block of a second is what users
   * notice, and no percentile of a short interval has it. `cpuPercent` is of one processor, with all threads.
   */
  read(): VitalFigures {
    const { heapUsed, rss } = process.memoryUsage();
    const cpu = process.cpuUsage();
    const at = performance.now();
    const usedUs = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system;
    const elapsedMs = at - this.#at;
    this.#cpu = cpu;
    this.#at = at;
    return {
      heapUsedMB: heapUsed / MEGABYTE,
      rssMB: rss / MEGABYTE,
      eventLoopLagMs: this.#delay.read().max,
      cpuPercent: elapsedMs <= 0 ? 0 : usedUs / 10 / elapsedMs,
    };
  }
}
