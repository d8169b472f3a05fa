/** Samples as two columns of a reader; the third, their starts, is the running sum and made when somebody looks. */
import type { LineTicks, Samples } from './profile.ts';

export class SampleColumns implements Samples {
  readonly count: number;
  readonly node: Uint32Array;
  readonly durationUs: Uint32Array | Float64Array;
  #startUs: Float64Array | null = null;

  /** Both columns have the same length. */
  constructor(node: Uint32Array, durationUs: Uint32Array | Float64Array) {
    this.count = node.length;
    this.node = node;
    this.durationUs = durationUs;
  }

  get startUs(): Float64Array {
    if (this.#startUs !== null) return this.#startUs;
    const startUs = new Float64Array(this.count);
    let at = 0;
    for (let index = 0; index < this.count; index += 1) {
      startUs[index] = at;
      at += this.durationUs[index] ?? 0;
    }
    this.#startUs = startUs;
    return startUs;
  }
}

export const NO_SAMPLES: Samples = new SampleColumns(new Uint32Array(0), new Uint32Array(0));

export const NO_LINE_TICKS: LineTicks = {
  count: 0,
  node: new Uint32Array(0),
  line: new Uint32Array(0),
  ticks: new Uint32Array(0),
};
