/** The small sections of flat records (locations, samples, functions of allocation stacks), kept as rows of numbers. */
import { withRoom } from './columns.ts';
import type { SectionLayout } from './layout.ts';
import type { NumberSink } from './number-array.ts';

export class RecordColumns implements NumberSink {
  readonly section: string;
  readonly fields: readonly string[];
  readonly #layout: SectionLayout;
  #values = new Float64Array(1024);
  #length = 0;

  constructor(section: string, layout: SectionLayout) {
    this.section = section;
    this.fields = layout.fields;
    this.#layout = layout;
  }

  get count(): number {
    return this.#length / this.fields.length;
  }

  take(values: Float64Array, count: number): void {
    this.#values = withRoom(this.#values, this.#length + count);
    this.#values.set(values.subarray(0, count), this.#length);
    this.#length += count;
  }

  end(): void {}

  /** A field of every record. */
  column(field: string): Float64Array {
    const at = this.#layout.at(field);
    const width = this.fields.length;
    const values = this.#values;
    return new Float64Array(this.count).map((_, record) => values[record * width + at] as number);
  }
}
