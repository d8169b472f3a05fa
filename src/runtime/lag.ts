/** How late timers were since somebody asked last: the statistics that metrics libraries tell of the event loop. */
import type { RuntimeDetail } from '../protocol/index.ts';
import { Histogram, percentile } from './histogram.ts';

export class Lag {
  readonly #histogram = new Histogram();
  #count = 0;
  #sumMs = 0;
  #sumOfSquares = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  record(lateMs: number): void {
    this.#histogram.record(lateMs);
    this.#count += 1;
    this.#sumMs += lateMs;
    this.#sumOfSquares += lateMs * lateMs;
    if (lateMs < this.#minMs) this.#minMs = lateMs;
    if (lateMs > this.#maxMs) this.#maxMs = lateMs;
  }

  /** Seconds, since the last reading; null where nothing was recorded. */
  read(): RuntimeDetail['lag'] {
    if (this.#count === 0) return null;
    const sparse = this.#histogram.toSparse();
    const mean = this.#sumMs / this.#count;
    const at = (q: number): number => Math.min(percentile(sparse, q) ?? 0, this.#maxMs) / 1000;
    const lag = {
      min: this.#minMs / 1000,
      max: this.#maxMs / 1000,
      mean: mean / 1000,
      stddev: Math.sqrt(Math.max(0, this.#sumOfSquares / this.#count - mean * mean)) / 1000,
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
    };
    this.#histogram.clear();
    this.#count = this.#sumMs = this.#sumOfSquares = this.#maxMs = 0;
    this.#minMs = Number.POSITIVE_INFINITY;
    return lag;
  }
}
