/** The small sections of flat records (locations, samples, functions of allocation stacks), a column a field. */
import { release } from '../model/release.ts';
import { withRoom } from './columns.ts';
import type { SectionLayout } from './layout.ts';
import type { NumberSink } from './number-array.ts';

export class RecordColumns implements NumberSink {
  readonly section: string;
  readonly fields: readonly string[];
  count = 0;
  readonly #columns: Uint32Array[];
  /** Numbers that 32 bits do not hold, by column. */
  readonly #wide: readonly Map<number, number>[];

  /** `capacity`: how many records are likely; memory is only taken for those that come. */
  constructor(section: string, layout: SectionLayout, capacity = 1024) {
    this.section = section;
    this.fields = layout.fields;
    this.#columns = layout.fields.map(() => new Uint32Array(capacity));
    this.#wide = layout.fields.map(() => new Map());
  }

  take(values: Uint32Array, count: number, wide: ReadonlyMap<number, number>): void {
    const width = this.fields.length;
    const records = count / width;
    for (let field = 0; field < width; field += 1) {
      const column = withRoom(this.#columns[field] as Uint32Array, this.count + records);
      this.#columns[field] = column;
      for (let at = field, record = this.count; at < count; at += width, record += 1)
        column[record] = values[at] as number;
    }
    for (const [at, value] of wide) this.#wide[at % width]?.set(this.count + Math.floor(at / width), value);
    this.count += records;
  }

  end(): void {}

  /** Nobody needs the records any more. */
  release(): void {
    for (const { buffer } of this.#columns) if (buffer instanceof ArrayBuffer) release(buffer);
  }

  /** A field of every record in 32 bits: −1 comes out as 4294967295. */
  column(field: string): Uint32Array {
    return (this.#columns[this.fields.indexOf(field)] as Uint32Array).subarray(0, this.count);
  }

  /** A field of every record as it was written. */
  exact(field: string): Float64Array {
    const values = Float64Array.from(this.column(field));
    for (const [record, value] of this.#wide[this.fields.indexOf(field)] ?? []) values[record] = value;
    return values;
  }
}
