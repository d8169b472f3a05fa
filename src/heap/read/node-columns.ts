/** The section `nodes` as columns. Refuses types that the header does not name and numbers below zero. */
import { NODE } from '../model/node-types.ts';
import { newBytes, newWords, WideColumn, withRoom } from './columns.ts';
import type { SnapshotLayout } from './layout.ts';
import type { NumberSink } from './number-array.ts';
import { fail } from './value-reader.ts';

/** Of nodes and of edges: half of what 32 bits number, the other half has a meaning of its own in some passes. */
const MAX_ORDINALS = 2 ** 31 - 1;

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
  /** Ids of trace nodes; null where the file has none. */
  readonly traceNodeId: WideColumn | null;
  /** The largest index of a name, to be checked once the strings are there. */
  largestName = 0;
  readonly #layout: SnapshotLayout;
  readonly #file: string;
  #edges = 0;

  constructor(layout: SnapshotLayout, capacity: number, file: string) {
    this.#layout = layout;
    this.#file = file;
    this.fields = layout.nodes.fields;
    this.type = newBytes(capacity);
    this.name = newWords(capacity);
    this.detachedness = newBytes(capacity);
    this.firstEdge = newWords(capacity + 1);
    this.id = new WideColumn(capacity);
    this.selfSize = new WideColumn(capacity);
    // Node 20 and 22 write the field in every snapshot, and only zeros without tracking.
    this.traceNodeId = layout.isTracked && layout.nodes.at('trace_node_id') !== -1 ? new WideColumn(capacity) : null;
  }

  take(values: Uint32Array, count: number, wide: ReadonlyMap<number, number>): void {
    const { nodes, nodeTypes } = this.#layout;
    const width = this.fields.length;
    const records = count / width;
    if (this.count + records > MAX_ORDINALS)
      fail(this.#file, `nodes[${this.count}]`, 'more nodes than can be numbered');
    this.#reserve(this.count + records);
    const typeAt = nodes.at('type');
    const nameAt = nodes.at('name');
    const idAt = nodes.at('id');
    const sizeAt = nodes.at('self_size');
    const edgesAt = nodes.at('edge_count');
    const detachedAt = nodes.at('detachedness');
    const traceAt = nodes.at('trace_node_id');
    const { type, name, detachedness, firstEdge } = this;
    const id = this.id.values;
    const selfSize = this.selfSize.values;
    const trace = this.traceNodeId?.values ?? null;
    let edges = this.#edges;
    let largestName = this.largestName;
    for (let at = 0, node = this.count; at < count; at += width, node += 1) {
      const rawType = values[at + typeAt] as number;
      if (rawType >= nodeTypes.length) this.#refuse(node, typeAt, `there is no type ${rawType}`);
      type[node] = nodeTypes[rawType] ?? NODE.unknown;
      const nameIndex = values[at + nameAt] as number;
      if (nameIndex > largestName) largestName = nameIndex;
      name[node] = nameIndex;
      id[node] = values[at + idAt] as number;
      selfSize[node] = values[at + sizeAt] as number;
      edges += values[at + edgesAt] as number;
      if (edges > MAX_ORDINALS) this.#refuse(node, edgesAt, 'more edges than can be numbered');
      firstEdge[node + 1] = edges;
      // Most are zero already, and pages that nobody writes to cost nothing.
      if (detachedAt !== -1 && values[at + detachedAt] !== 0) detachedness[node] = values[at + detachedAt] as number;
      if (trace !== null && values[at + traceAt] !== 0) trace[node] = values[at + traceAt] as number;
    }
    this.#edges = edges;
    this.largestName = largestName;
    for (const [at, value] of wide) this.#takeWide(this.count + Math.floor(at / width), at % width, value);
    this.count += records;
  }

  /** Ids and sizes may need more than 32 bits. */
  #takeWide(node: number, field: number, value: number): void {
    if (value < 0) this.#refuse(node, field, `${value} is below zero`);
    if (this.fields[field] === 'id') this.id.set(node, value);
    else if (this.fields[field] === 'self_size') this.selfSize.set(node, value);
    else this.#refuse(node, field, `${value} is too large`);
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
    this.traceNodeId?.reserve(length);
  }

  #refuse(node: number, field: number, what: string): never {
    return fail(this.#file, `nodes[${node}].${this.fields[field] ?? field}`, what);
  }
}
