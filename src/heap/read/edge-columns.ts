/** The section `edges` as columns. Refuses edges that lead nowhere and more or fewer of them than the nodes have. */
import { EDGE } from '../model/node-types.ts';
import { newBytes, newWords, withRoom } from './columns.ts';
import type { SnapshotLayout } from './layout.ts';
import type { NodeColumns } from './node-columns.ts';
import type { NumberSink } from './number-array.ts';
import { fail } from './value-reader.ts';

export class EdgeColumns implements NumberSink {
  readonly section = 'edges';
  readonly fields: readonly string[];
  count = 0;
  type: Uint8Array;
  name: Uint32Array;
  to: Uint32Array;
  /** The largest index of a name, to be checked once the strings are there. */
  largestName = 0;
  readonly #layout: SnapshotLayout;
  readonly #nodes: NodeColumns;
  readonly #file: string;

  constructor(layout: SnapshotLayout, nodes: NodeColumns, capacity: number, file: string) {
    this.#layout = layout;
    this.#nodes = nodes;
    this.#file = file;
    this.fields = layout.edges.fields;
    this.type = newBytes(capacity);
    this.name = newWords(capacity);
    this.to = newWords(capacity);
  }

  take(values: Uint32Array, count: number, wide: ReadonlyMap<number, number>): void {
    const { edges, edgeTypes, nodes } = this.#layout;
    const width = this.fields.length;
    const records = count / width;
    for (const [at, value] of wide)
      this.#refuse(this.count + Math.floor(at / width), at % width, `${value} is out of range`);
    if (this.count + records > this.#nodes.edgeCount)
      fail(this.#file, `edges[${this.#nodes.edgeCount}]`, `the nodes have only ${this.#nodes.edgeCount} edges`);
    const type = (this.type = withRoom(this.type, this.count + records));
    const name = (this.name = withRoom(this.name, this.count + records));
    const to = (this.to = withRoom(this.to, this.count + records));
    const typeAt = edges.at('type');
    const nameAt = edges.at('name_or_index');
    const toAt = edges.at('to_node');
    const nodeWidth = nodes.fields.length;
    const inverse = 1 / nodeWidth;
    const nodeCount = this.#nodes.count;
    let { largestName } = this;
    for (let at = 0, edge = this.count; at < count; at += width, edge += 1) {
      const rawType = values[at + typeAt] as number;
      if (rawType >= edgeTypes.length) this.#refuse(edge, typeAt, `there is no type ${rawType}`);
      const ownType = edgeTypes[rawType] ?? EDGE.unknown;
      type[edge] = ownType;
      const nameOrIndex = values[at + nameAt] as number;
      if (nameOrIndex > largestName && ownType !== EDGE.element && ownType !== EDGE.hidden) largestName = nameOrIndex;
      name[edge] = nameOrIndex;
      const position = values[at + toAt] as number;
      // Half a field more, so that rounding never ends up one below; checked by the way back.
      const target = ((position + 0.5) * inverse) >>> 0;
      if (target >= nodeCount || target * nodeWidth !== position)
        this.#refuse(edge, toAt, `no node begins at ${position}`);
      to[edge] = target;
    }
    this.largestName = largestName;
    this.count += records;
  }

  end(): void {
    if (this.count !== this.#nodes.edgeCount)
      fail(this.#file, 'edges', `the nodes have ${this.#nodes.edgeCount} edges, there are ${this.count}`);
    const { edgeCount } = this.#layout;
    if (edgeCount !== null && edgeCount !== this.count)
      fail(this.#file, 'edges', `the header says ${edgeCount} edges, there are ${this.count}`);
  }

  #refuse(edge: number, field: number, what: string): never {
    return fail(this.#file, `edges[${edge}].${this.fields[field] ?? field}`, what);
  }
}
