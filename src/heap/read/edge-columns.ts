/** The section `edges` as columns. Refuses edges that lead nowhere and more or fewer of them than the nodes have. */
import { EDGE } from '../model/node-types.ts';
import { withRoom } from './columns.ts';
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
  readonly #layout: SnapshotLayout;
  readonly #nodes: NodeColumns;
  readonly #file: string;

  constructor(layout: SnapshotLayout, nodes: NodeColumns, capacity: number, file: string) {
    this.#layout = layout;
    this.#nodes = nodes;
    this.#file = file;
    this.fields = layout.edges.fields;
    this.type = new Uint8Array(capacity);
    this.name = new Uint32Array(capacity);
    this.to = new Uint32Array(capacity);
  }

  take(values: Float64Array, count: number): void {
    const { edges, edgeTypes, nodes } = this.#layout;
    const width = this.fields.length;
    const records = count / width;
    if (this.count + records > this.#nodes.edgeCount)
      fail(this.#file, `edges[${this.#nodes.edgeCount}]`, `the nodes have only ${this.#nodes.edgeCount} edges`);
    this.type = withRoom(this.type, this.count + records);
    this.name = withRoom(this.name, this.count + records);
    this.to = withRoom(this.to, this.count + records);
    const type = edges.at('type');
    const name = edges.at('name_or_index');
    const to = edges.at('to_node');
    const nodeWidth = nodes.fields.length;
    const nodeCount = this.#nodes.count;
    for (let at = 0, edge = this.count; at < count; at += width, edge += 1) {
      const rawType = values[at + type] as number;
      if (!(rawType >= 0 && rawType < edgeTypes.length)) this.#refuse(edge, type, `there is no type ${rawType}`);
      this.type[edge] = edgeTypes[rawType] ?? EDGE.unknown;
      const nameOrIndex = values[at + name] as number;
      if (!(nameOrIndex >= 0 && nameOrIndex <= 0xffff_ffff)) this.#refuse(edge, name, `${nameOrIndex} is out of range`);
      this.name[edge] = nameOrIndex;
      const target = (values[at + to] as number) / nodeWidth;
      if (!(target >= 0 && target < nodeCount && Number.isInteger(target)))
        this.#refuse(edge, to, `no node begins at ${values[at + to]}`);
      this.to[edge] = target;
    }
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
