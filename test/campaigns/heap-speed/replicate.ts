/**
 * Makes a big snapshot of a real one: its graph as often as wanted under one root, with ids and strings of their own for
 * every copy, written as Node 24 writes. Holds the original and one buffer.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { EDGE, EDGE_TYPE_NAMES, type HeapGraph, NODE, NODE_TYPE_NAMES } from '../../../src/heap/index.ts';

const BUFFER_BYTES = 8 << 20;
const WEAK_MAP_NAME = /^\d+ \/ part of key \(.* pair in WeakMap \(table @\d+\)$/;

export interface ReplicaOptions {
  readonly copies: number;
  /** Bytes of text to add to the strings of the file, in strings of about 1 KB that nothing refers to; 0 unless told. */
  readonly extraStringBytes?: number;
}

export interface Replica {
  readonly nodeCount: number;
  readonly edgeCount: number;
}

/** Writes the snapshot to `path`. */
export function writeReplica(graph: HeapGraph, path: string, options: ReplicaOptions): Replica {
  const { copies, extraStringBytes = 0 } = options;
  const out = new Output(path);
  const perCopy = graph.nodeCount - 1;
  const rootEdges = graph.firstEdge[1] as number;
  const nodeCount = 1 + copies * perCopy;
  const edgeCount = copies * graph.edgeCount;
  const idStep = 2 * Math.ceil((largest(graph.nodeId) + 1) / 2);
  const own = listOwnStrings(graph);
  out.text(header(nodeCount, edgeCount));
  const nameIn = (copy: number, name: number): number => {
    const place = own.place.get(name);
    return place === undefined ? name : graph.strings.count + copy * own.list.length + place;
  };
  out.text('"nodes":[');
  node(0, 0, 0, copies * rootEdges);
  for (let copy = 0; copy < copies; copy += 1)
    for (let at = 1; at < graph.nodeCount; at += 1)
      node(at, copy, copy * idStep, (graph.firstEdge[at + 1] as number) - (graph.firstEdge[at] as number));
  out.endOfList();
  out.text('"edges":[');
  for (let copy = 0; copy < copies; copy += 1) edges(copy, 0, rootEdges);
  for (let copy = 0; copy < copies; copy += 1) edges(copy, rootEdges, graph.edgeCount);
  out.endOfList();
  out.text('"trace_function_infos":[],"trace_tree":[],"samples":[],"locations":[');
  const { locations } = graph;
  for (let copy = 0; copy < copies; copy += 1)
    for (let at = 0; at < locations.count; at += 1) {
      const ordinal = locations.node[at] as number;
      out.number((ordinal === 0 ? 0 : ordinal + copy * perCopy) * NODE_FIELDS.length);
      out.number(locations.scriptId[at] as number);
      out.number(locations.line[at] as number);
      out.number(locations.column[at] as number);
    }
  out.endOfList();
  out.text('"strings":[');
  for (let at = 0; at < graph.strings.count; at += 1) out.string(graph.strings.get(at));
  for (let copy = 0; copy < copies; copy += 1)
    for (const name of own.list) {
      const text = graph.strings.get(name);
      const isEntry = WEAK_MAP_NAME.test(text);
      out.string(
        isEntry
          ? text.replaceAll(/@(\d+)/g, (_, id) => `@${Number(id) + copy * idStep}`)
          : `${text}${copy.toString(36)}`,
      );
    }
  for (let bytes = 0, at = 0; bytes < extraStringBytes; bytes += 1024, at += 1)
    out.string(`${at}${'some text that nobody needs '.repeat(36)}`);
  out.lastList();
  out.close();
  return { nodeCount, edgeCount };

  function node(at: number, copy: number, idOffset: number, edgeTotal: number): void {
    out.number(graph.nodeType[at] as number);
    out.number(nameIn(copy, graph.nodeName[at] as number));
    out.number((graph.nodeId[at] as number) + idOffset);
    out.number(graph.selfSize[at] as number);
    out.number(edgeTotal);
    out.number(graph.detachedness[at] as number);
  }

  function edges(copy: number, from: number, to: number): void {
    for (let at = from; at < to; at += 1) {
      const type = graph.edgeType[at] as number;
      const name = graph.edgeName[at] as number;
      const target = graph.edgeTo[at] as number;
      out.number(type);
      out.number(type === EDGE.internal ? nameIn(copy, name) : name);
      out.number((target === 0 ? 0 : target + copy * perCopy) * NODE_FIELDS.length);
    }
  }
}

/** Strings that copies do not share: texts of the heap, and the names of WeakMap entries, which have ids in them. */
function listOwnStrings(graph: HeapGraph): { readonly list: number[]; readonly place: Map<number, number> } {
  const own = new Set<number>();
  for (let at = 0; at < graph.nodeCount; at += 1)
    if (graph.nodeType[at] === NODE.string && (graph.selfSize[at] as number) > 0) own.add(graph.nodeName[at] as number);
  for (let at = 0; at < graph.edgeCount; at += 1) {
    const name = graph.edgeName[at] as number;
    if (graph.edgeType[at] !== EDGE.internal) continue;
    // A text that is the name of an edge as well keeps its one meaning.
    if (WEAK_MAP_NAME.test(graph.strings.get(name))) own.add(name);
    else own.delete(name);
  }
  const list = [...own];
  return { list, place: new Map(list.map((name, place) => [name, place])) };
}

function largest(values: Uint32Array | Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}

const NODE_FIELDS = ['type', 'name', 'id', 'self_size', 'edge_count', 'detachedness'];

function header(nodeCount: number, edgeCount: number): string {
  const meta = {
    node_fields: NODE_FIELDS,
    node_types: [NODE_TYPE_NAMES, 'string', 'number', 'number', 'number', 'number', 'number'],
    edge_fields: ['type', 'name_or_index', 'to_node'],
    edge_types: [EDGE_TYPE_NAMES, 'string_or_number', 'node'],
    trace_function_info_fields: ['function_id', 'name', 'script_name', 'script_id', 'line', 'column'],
    trace_node_fields: ['id', 'function_info_index', 'count', 'size', 'children'],
    sample_fields: ['timestamp_us', 'last_assigned_id'],
    location_fields: ['object_index', 'script_id', 'line', 'column'],
  };
  const snapshot = {
    meta,
    node_count: nodeCount,
    edge_count: edgeCount,
    trace_function_count: 0,
    extra_native_bytes: 0,
  };
  return `{"snapshot":${JSON.stringify(snapshot)},`;
}

/** Lists of numbers and strings, a comma behind each; the last one of a list is taken back. */
class Output {
  readonly #file: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #length = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  number(value: number): void {
    if (this.#length + 24 > BUFFER_BYTES) this.#flush();
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits += 1;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at -= 1) {
      const next = Math.floor(rest / 10);
      this.#buffer[at] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.#length += digits;
    this.#buffer[this.#length++] = 0x2c;
  }

  string(text: string): void {
    this.text(JSON.stringify(text));
    this.text(',');
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#length + bytes > BUFFER_BYTES) this.#flush();
    if (bytes > BUFFER_BYTES) writeSync(this.#file, text);
    else this.#length += this.#buffer.write(text, this.#length);
  }

  endOfList(): void {
    this.#takeComma();
    this.text('],');
  }

  lastList(): void {
    this.#takeComma();
    this.text(']}');
  }

  close(): void {
    writeSync(this.#file, this.#buffer, 0, this.#length);
    closeSync(this.#file);
  }

  #takeComma(): void {
    if (this.#length > 0 && this.#buffer[this.#length - 1] === 0x2c) this.#length -= 1;
  }

  #flush(): void {
    // The last byte stays: it may be a comma that is taken back.
    const keep = this.#buffer[this.#length - 1];
    for (let at = 0; at < this.#length - 1;) at += writeSync(this.#file, this.#buffer, at, this.#length - 1 - at);
    this.#length = 0;
    if (keep !== undefined) this.#buffer[this.#length++] = keep;
  }
}
