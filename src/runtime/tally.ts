/** What is counted of requests that were answered: how many of each class of status, and how long they took. */
import { Histogram } from './histogram.ts';

export class Tally {
  /** By the first digit of the status; statuses without one of 1 to 5 are in none. */
  readonly byClass = [0, 0, 0, 0, 0, 0];
  readonly latency = new Histogram();

  /** `tookMs`: null where nobody knows when the request began. */
  count(status: number, tookMs: number | null): void {
    const statusClass = (status / 100) | 0;
    if (statusClass >= 1 && statusClass <= 5) this.byClass[statusClass] = (this.byClass[statusClass] ?? 0) + 1;
    if (tookMs !== null) this.latency.record(tookMs);
  }

  add({ byClass, latency }: Tally): void {
    byClass.forEach((count, at) => (this.byClass[at] = (this.byClass[at] ?? 0) + count));
    this.latency.add(latency);
  }
}
