/**
 * Reads the section `trace_tree`: nested lists `[id, function, count, size, [children…]]`, as deep as stacks were, so it
 * keeps a stack of its own. Fields stand in the order of `trace_node_fields`.
 */
import { withRoom } from './columns.ts';
import type { SectionLayout } from './layout.ts';
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';

export class TraceTreeReader implements ValueReader {
  count = 0;
  /** Per trace node, a row of the fields before `children`. */
  values = new Float64Array(1024);
  parent = new Int32Array(1024);
  readonly #layout: SectionLayout;
  readonly #position: Position;
  /** Trace nodes whose list of children is open. */
  readonly #open: number[] = [];
  #field = 0;
  #value = -1;
  #isInRecords = false;
  #isStarted = false;

  constructor(layout: SectionLayout, position: Position) {
    this.#layout = layout;
    this.#position = position;
  }

  /** Field of a trace node; NaN for the list of its children. */
  get(node: number, field: string): number {
    return this.values[node * this.#layout.fields.length + this.#layout.at(field)] as number;
  }

  push(chunk: Uint8Array, from: number): number {
    const width = this.#layout.fields.length;
    const children = this.#layout.at('children');
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (byte >= 0x30 && byte <= 0x39 && this.#isInRecords && this.#field !== children) {
        this.#value = Math.max(this.#value, 0) * 10 + (byte - 0x30);
      } else if (byte === 0x5b && (!this.#isInRecords || this.#field === children)) {
        if (this.#isInRecords) this.#open.push(this.count - 1);
        this.#isStarted = true;
        this.#isInRecords = true;
        this.#field = 0;
      } else if (byte === 0x2c && this.#isInRecords) {
        this.#store(chunk, at);
        this.#field += 1;
        if (this.#field === width) this.#field = 0;
      } else if (byte === 0x5d && this.#isStarted) {
        this.#store(chunk, at);
        const parent = this.#open.pop();
        if (parent === undefined) return at + 1;
        this.#field = children;
      } else if (!isBlank(byte)) {
        fail(this.#position.file, `${byteAt(this.#position, at)} (trace_tree)`, `${showByte(byte)} was not expected`);
      }
    }
    return -1;
  }

  #store(chunk: Uint8Array, at: number): void {
    if (this.#value === -1) return;
    const width = this.#layout.fields.length;
    if (this.#field === 0) {
      if (this.#open.length > 1_000_000)
        fail(this.#position.file, `${byteAt(this.#position, at)} (trace_tree)`, 'deeper than any stack');
      this.values = withRoom(this.values, (this.count + 1) * width);
      if (this.parent.length === this.count) {
        const grown = new Int32Array(this.count * 2);
        grown.set(this.parent);
        this.parent = grown;
      }
      this.parent[this.count] = this.#open.at(-1) ?? -1;
      this.count += 1;
    }
    this.values[(this.count - 1) * width + this.#field] = this.#value;
    this.#value = -1;
  }
}
