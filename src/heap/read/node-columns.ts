/** The section `nodes` as columns. Refuses types that the header does not name and numbers below zero. */
import { NODE } from '../model/node-types.ts';
import { WideColumn, withRoom } from './columns.ts';
import type { SnapshotLayout } from './layout.ts';
import type { NumberSink } from './number-array.ts';
import { fail } from './value-reader.ts';

const MAX_NODES = 2 ** 32 - 2;

export class NodeColumns implements NumberSink {
  readonly section = 'nodes';
  readonly fields: readonly string[];
  count = 0;
  type: Uint8Array;
  name: Uint32Array;
  detachedness: Uint8Array;
  /** One entry more than nodes: where the edges of the next node would begin. */
  firstEdge: Uint32Array;
  readonly id: WideColumn;
  readonly selfSize: WideColumn;
  readonly #traceNodeId: WideColumn | null;
  readonly #layout: SnapshotLayout;
  readonly #file: string;
  #edges = 0;

  constructor(layout: SnapshotLayout, capacity: number, file: string) {
    this.#layout = layout;
    this.#file = file;
    this.fields = layout.nodes.fields;
    this.type = new Uint8Array(capacity);
    this.name = new Uint32Array(capacity);
    this.detachedness = new Uint8Array(capacity);
    this.firstEdge = new Uint32Array(capacity + 1);
    this.id = new WideColumn(capacity);
    this.selfSize = new WideColumn(capacity);
    const isTracked = layout.nodes.at('trace_node_id') !== -1;
    this.#traceNodeId = isTracked ? new WideColumn(capacity) : null;
  }

  /** Ids of trace nodes; null where the file has none. */
  get traceNodeId(): Uint32Array | null {
    const values = this.#traceNodeId?.values ?? null;
    return values === null ? null : Uint32Array.from(values.subarray(0, this.count));
  }

  take(values: Float64Array, count: number): void {
    const { nodes, nodeTypes } = this.#layout;
    const width = this.fields.length;
    const records = count / width;
    if (this.count + records > MAX_NODES) fail(this.#file, `nodes[${this.count}]`, 'more nodes than can be numbered');
    this.#reserve(this.count + records);
    const [type, name, id, size, edges] = ['type', 'name', 'id', 'self_size', 'edge_count'].map((f) => nodes.at(f)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const detached = nodes.at('detachedness');
    const trace = nodes.at('trace_node_id');
    for (let at = 0, node = this.count; at < count; at += width, node += 1) {
      for (let field = 0; field < width; field += 1)
        if ((values[at + field] as number) < 0) this.#refuse(node, field, `${values[at + field]} is below zero`);
      const rawType = values[at + type] as number;
      if (rawType >= nodeTypes.length) this.#refuse(node, type, `there is no type ${rawType}`);
      this.type[node] = nodeTypes[rawType] ?? NODE.unknown;
      const nameIndex = values[at + name] as number;
      if (nameIndex > 0xffff_ffff) this.#refuse(node, name, `there is no string ${nameIndex}`);
      this.name[node] = nameIndex;
      this.id.set(node, values[at + id] as number);
      this.selfSize.set(node, values[at + size] as number);
      this.#edges += values[at + edges] as number;
      if (this.#edges > MAX_NODES) this.#refuse(node, edges, 'more edges than can be numbered');
      this.firstEdge[node + 1] = this.#edges;
      if (detached !== -1) this.detachedness[node] = values[at + detached] as number;
      if (trace !== -1) this.#traceNodeId?.set(node, values[at + trace] as number);
    }
    this.count += records;
  }

  end(): void {
    if (this.count === 0) fail(this.#file, 'nodes', 'a snapshot has at least one node');
    const { nodeCount } = this.#layout;
    if (nodeCount !== null && nodeCount !== this.count)
      fail(this.#file, 'nodes', `the header says ${nodeCount} nodes, there are ${this.count}`);
  }

  /** Edges that the nodes say they have. */
  get edgeCount(): number {
    return this.#edges;
  }

  #reserve(length: number): void {
    this.type = withRoom(this.type, length);
    this.name = withRoom(this.name, length);
    this.detachedness = withRoom(this.detachedness, length);
    this.firstEdge = withRoom(this.firstEdge, length + 1);
    this.id.reserve(length);
    this.selfSize.reserve(length);
    this.#traceNodeId?.reserve(length);
  }

  #refuse(node: number, field: number, what: string): never {
    return fail(this.#file, `nodes[${node}].${this.fields[field] ?? field}`, what);
  }
}
