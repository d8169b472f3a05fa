/**
 * Adds counters and histograms up over the workers of an app so that no sum ever falls: what an ended worker had counted
 * stays in it. Without that a replaced worker makes the sum smaller, and Prometheus, which takes that for a restart from
 * zero, counts what all the other workers had as new.
 *
 * Keeps sums as long as the daemon lives; a new daemon begins with what the workers say that there are.
 */
import { labelsKey, type Labels } from './family.ts';

/** One series of counters, or one histogram. */
export interface Running {
  readonly name: string;
  readonly labels: Labels;
  /** Bounds of a histogram: only those with the same are added up. */
  readonly shape: readonly string[];
  /** Numbers that only rise, always as many for one shape. */
  readonly numbers: readonly number[];
}

/** The same for what may be added up. */
export const runningKey = ({ name, labels, shape }: Running): string => `${name} ${shape.join()} ${labelsKey(labels)}`;

export class RunningTotals {
  readonly #most: number;
  /** What ended workers, and counters that began anew, had counted. */
  readonly #ended = new Map<string, Running>();
  readonly #live = new Map<string, ReadonlyMap<string, Running>>();

  /** `most`: so many series of ended workers are kept; those that no worker has any more go first. */
  constructor(most: number) {
    this.#most = most;
  }

  /** All that the worker of a spawn has counted until now. */
  set(spawn: string, series: Iterable<Running>): void {
    const now = new Map<string, Running>();
    for (const one of series) now.set(runningKey(one), one);
    for (const [key, old] of this.#live.get(spawn) ?? []) {
      const later = now.get(key);
      // Gone or smaller: it was reset, and counts from zero again.
      if (later === undefined || old.numbers.some((value, at) => value > (later.numbers[at] ?? 0)))
        this.#keep(key, old);
    }
    this.#live.set(spawn, now);
  }

  /** The workers that there are; all others have ended. */
  retain(spawns: ReadonlySet<string>): void {
    for (const [spawn, series] of this.#live) {
      if (spawns.has(spawn)) continue;
      for (const [key, one] of series) this.#keep(key, one);
      this.#live.delete(spawn);
    }
    this.#shrink();
  }

  /** By {@link runningKey}, also of what only ended workers had. */
  sums(): Map<string, Running> {
    const sums = new Map(this.#ended);
    for (const series of this.#live.values()) {
      for (const [key, one] of series) {
        const before = sums.get(key);
        sums.set(key, before === undefined ? one : add(before, one));
      }
    }
    return sums;
  }

  #keep(key: string, one: Running): void {
    const kept = this.#ended.get(key);
    this.#ended.set(key, kept === undefined ? one : add(kept, one));
  }

  #shrink(): void {
    if (this.#ended.size <= this.#most) return;
    const isLive = (key: string): boolean => [...this.#live.values()].some((series) => series.has(key));
    for (const key of this.#ended.keys()) if (!isLive(key)) this.#ended.delete(key);
    for (const key of this.#ended.keys()) {
      if (this.#ended.size <= this.#most) return;
      this.#ended.delete(key);
    }
  }
}

const add = (a: Running, b: Running): Running => ({
  ...b,
  numbers: a.numbers.map((value, at) => value + (b.numbers[at] ?? 0)),
});
