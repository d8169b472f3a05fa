/** What part of the processor's time functions take, as means over the windows of each side. */
import { meanOf } from './reference.ts';
import type { Column, Table } from './table.ts';
import type { ProfileWindow } from './window.ts';

type Pair = readonly [number, number];

export class Shares {
  readonly #columns: readonly Column[];
  /** The same for everything together. */
  readonly onCpuMsPerSecond: Pair | null;

  constructor({ columns }: Table) {
    this.#columns = columns;
    const isKnown = columns.every(({ window }) => window.onCpuMs !== null && window.durationMs > 0);
    this.onCpuMsPerSecond = isKnown ? this.#means(({ window }) => msPerSecond(window)) : null;
  }

  self = (row: number): Pair => this.#means(({ self, window }) => (self[row] ?? 0) / window.onCpuTicks);

  total = (row: number): Pair => this.#means(({ total, window }) => (total[row] ?? 0) / window.onCpuTicks);

  /** Milliseconds of a core per second of the clock; null where the files do not tell. */
  selfMsPerSecond(row: number): Pair | null {
    if (this.onCpuMsPerSecond === null) return null;
    return this.#means(({ self, window }) => ((self[row] ?? 0) / window.onCpuTicks) * msPerSecond(window));
  }

  #means(valueOf: (column: Column) => number): Pair {
    const values = Float64Array.from(this.#columns, valueOf);
    return [meanOf(values, this.#columns, 0), meanOf(values, this.#columns, 1)];
  }
}

const msPerSecond = ({ onCpuMs, durationMs }: ProfileWindow): number => (1000 * (onCpuMs ?? 0)) / durationMs;
