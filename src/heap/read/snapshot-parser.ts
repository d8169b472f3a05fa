/**
 * Parses a `.heapsnapshot` (or `.heaptimeline`) from chunks of bytes into a `HeapGraph`, in one pass and in the order
 * of the file. Sections are told by their name; those that are not known are skipped. Holds the columns, the bytes of the
 * strings and one chunk.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';
import { toAllocations } from './allocations.ts';
import type { WasmReader } from './wasm-reader.ts';
import { EdgeColumns } from './edge-columns.ts';
import { parseLayout, type SectionLayout, type SnapshotLayout } from './layout.ts';
import { NO_LOCATIONS, toLocations } from './locations.ts';
import { NodeColumns } from './node-columns.ts';
import { NumberArrayReader } from './number-array.ts';
import { SkippedValue, TextValue } from './plain-values.ts';
import { RecordColumns } from './record-columns.ts';
import { StringArrayReader } from './string-array.ts';
import { StringTable } from './string-table.ts';
import { TraceTreeReader } from './trace-tree.ts';
import { byteAt, fail, isBlank, type Position, showByte, type ValueReader } from './value-reader.ts';

const MAX_HEADER_BYTES = 1 << 20;
const MAX_KEY_BYTES = 1024;

type State = 'start' | 'key-or-end' | 'key' | 'in-key' | 'colon' | 'value' | 'in-value' | 'after-value' | 'end';

export class SnapshotParser {
  readonly #position: Position;
  /** An upper bound for the bytes that come, where it is known: nothing is allocated that they could not fill. */
  readonly #maxBytes: number;
  #state: State = 'start';
  #key = '';
  #reader: ValueReader | null = null;
  readonly #seen = new Set<string>();
  #layout: SnapshotLayout | null = null;
  #nodes: NodeColumns | null = null;
  #edges: EdgeColumns | null = null;
  #locations: RecordColumns | null = null;
  #samples: RecordColumns | null = null;
  #traceFunctions: RecordColumns | null = null;
  #traceTree: TraceTreeReader | null = null;
  readonly #strings = new StringTable();
  readonly #wasm: WasmReader | null;

  /**
   * `file`: how messages name the input. `maxBytes`: its size where known, `Infinity` otherwise. `wasm`: null to do without;
   * chunks that lie in its memory need not be copied there.
   */
  constructor(file: string, maxBytes: number, wasm: WasmReader | null) {
    this.#position = { file, chunkStart: 0 };
    this.#maxBytes = maxBytes;
    this.#wasm = wasm;
  }

  /** The next bytes; they are not needed any more when it returns. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#reader !== null) {
        const end = this.#reader.push(chunk, at);
        if (end === -1) break;
        this.#reader = null;
        this.#state = 'after-value';
        at = end;
        continue;
      }
      const byte = chunk[at] as number;
      if (this.#state === 'value' && !isBlank(byte)) {
        this.#reader = this.#open(this.#key, at);
        continue;
      }
      this.#step(byte, at);
      at += 1;
    }
    this.#position.chunkStart += chunk.length;
  }

  /** The graph, once all bytes were pushed. */
  finish(): HeapGraph {
    const { file } = this.#position;
    if (this.#state === 'start') fail(file, null, 'the file is empty');
    if (this.#state !== 'end') {
      const where = this.#reader === null ? 'after the last section' : `in the section "${this.#key}"`;
      fail(file, byteAt(this.#position, 0), `the file ends ${where}`);
    }
    const nodes = this.#nodes ?? fail(file, null, 'it has no section "nodes"');
    const edges = this.#edges ?? fail(file, null, 'it has no section "edges"');
    const layout = this.#layout ?? fail(file, null, 'it has no section "snapshot"');
    if (!this.#seen.has('strings')) fail(file, null, 'it has no section "strings"');
    const strings = this.#strings;
    const nodeCount = nodes.count;
    const edgeCount = edges.count;
    const nodeName = nodes.name.subarray(0, nodeCount);
    const edgeName = edges.name.subarray(0, edgeCount);
    const edgeType = edges.type.subarray(0, edgeCount);
    this.#checkNames(nodes, edges);
    const width = layout.nodes.fields.length;
    const samples = this.#samples;
    return {
      nodeCount,
      edgeCount,
      nodeType: nodes.type.subarray(0, nodeCount),
      nodeName,
      nodeId: nodes.id.values.subarray(0, nodeCount),
      selfSize: nodes.selfSize.values.subarray(0, nodeCount),
      detachedness: nodes.detachedness.subarray(0, nodeCount),
      firstEdge: nodes.firstEdge.subarray(0, nodeCount + 1),
      edgeType,
      edgeName,
      edgeTo: edges.to.subarray(0, edgeCount),
      strings,
      locations: this.#locations === null ? NO_LOCATIONS : toLocations(this.#locations, width, nodeCount, file),
      extraNativeBytes: layout.extraNativeBytes,
      allocations: toAllocations(
        this.#traceFunctions,
        this.#traceTree,
        nodes.traceNodeId === null ? null : Uint32Array.from(nodes.traceNodeId.values.subarray(0, nodeCount)),
        strings,
        file,
      ),
      samples: {
        count: samples?.count ?? 0,
        timestampUs: samples?.exact('timestamp_us') ?? new Float64Array(0),
        lastAssignedId: samples?.exact('last_assigned_id') ?? new Float64Array(0),
      },
    };
  }

  #step(byte: number, at: number): void {
    if (this.#state === 'in-key') {
      if (byte === 0x22) this.#state = 'colon';
      else if (this.#key.length === MAX_KEY_BYTES) this.#refuse(at, 'a section with so long a name is not known');
      else this.#key += String.fromCharCode(byte);
      return;
    }
    if (isBlank(byte)) return;
    const next = NEXT[this.#state]?.[String.fromCharCode(byte)];
    if (next === undefined) {
      const what = this.#state === 'start' ? 'not a heap snapshot: an object was expected' : EXPECTED[this.#state];
      this.#refuse(at, `${what ?? 'nothing was expected'}, found ${showByte(byte)}`);
    }
    if (next === 'in-key') this.#key = '';
    this.#state = next;
  }

  #open(key: string, at: number): ValueReader {
    if (this.#seen.has(key)) this.#refuse(at, `the section "${key}" is there twice`);
    this.#seen.add(key);
    this.#state = 'in-value';
    switch (key) {
      case 'snapshot':
        return new TextValue(MAX_HEADER_BYTES, this.#position, (text) => {
          this.#layout = parseLayout(text, this.#position.file);
        });
      case 'nodes': {
        const layout = this.#need(this.#layout, 'snapshot', at);
        const capacity = this.#capacity(layout.nodeCount, layout.nodes);
        this.#nodes = new NodeColumns(layout, capacity, this.#position.file);
        return new NumberArrayReader(this.#nodes, this.#position, this.#wasm);
      }
      case 'edges': {
        const layout = this.#need(this.#layout, 'snapshot', at);
        const nodes = this.#need(this.#nodes, 'nodes', at);
        const capacity = this.#capacity(nodes.edgeCount, layout.edges);
        this.#edges = new EdgeColumns(layout, nodes, capacity, this.#position.file);
        return new NumberArrayReader(this.#edges, this.#position, this.#wasm);
      }
      case 'locations':
        this.#locations = this.#records(key, this.#layout?.locations, at);
        return this.#locations === null
          ? new SkippedValue()
          : new NumberArrayReader(this.#locations, this.#position, this.#wasm);
      case 'samples':
        this.#samples = this.#records(key, this.#layout?.samples, at);
        return this.#samples === null
          ? new SkippedValue()
          : new NumberArrayReader(this.#samples, this.#position, this.#wasm);
      case 'trace_function_infos':
        this.#traceFunctions = this.#records(key, this.#layout?.traceFunctions, at);
        return this.#traceFunctions === null
          ? new SkippedValue()
          : new NumberArrayReader(this.#traceFunctions, this.#position, this.#wasm);
      case 'trace_tree': {
        const layout = this.#need(this.#layout, 'snapshot', at).traceNodes;
        if (layout === null) return new SkippedValue();
        this.#traceTree = new TraceTreeReader(layout, this.#position);
        return this.#traceTree;
      }
      case 'strings':
        // Quotes and a comma: no string takes less than three bytes.
        if (this.#maxBytes !== Infinity)
          this.#strings.reserve(Math.ceil((this.#maxBytes - this.#position.chunkStart - at) / 3));
        return new StringArrayReader(this.#strings, this.#position, this.#wasm);
      default:
        return new SkippedValue();
    }
  }

  #records(section: string, layout: SectionLayout | null | undefined, at: number): RecordColumns | null {
    this.#need(this.#layout, 'snapshot', at);
    return layout === null || layout === undefined ? null : new RecordColumns(section, layout, this.#nodes?.count);
  }

  #need<T>(part: T | null, section: string, at: number): T {
    return part ?? this.#refuse(at, `the section "${section}" must come before "${this.#key}"`);
  }

  /** Every number takes at least a digit and a comma. */
  #capacity(count: number | null, layout: SectionLayout): number {
    const most = Math.floor(this.#maxBytes / (2 * layout.fields.length)) + 1;
    return Math.min(count ?? 1 << 16, most, this.#maxBytes === Infinity ? 1 << 20 : most);
  }

  /** Only a file that is wrong has its names gone through one by one. */
  #checkNames(nodes: NodeColumns, edges: EdgeColumns): void {
    const { count } = this.#strings;
    const { file } = this.#position;
    const what = (name: number | undefined): string => `there is no string ${name}, only ${count}`;
    if (nodes.largestName >= count) {
      const node = nodes.name.findIndex((name, at) => at < nodes.count && name >= count);
      fail(file, `nodes[${node}].name`, what(nodes.name[node]));
    }
    if (edges.largestName >= count && edges.count > 0) {
      const hasText = (edge: number): boolean => edges.type[edge] !== EDGE.element && edges.type[edge] !== EDGE.hidden;
      const edge = edges.name.findIndex((name, at) => at < edges.count && name >= count && hasText(at));
      if (edge !== -1) fail(file, `edges[${edge}].name_or_index`, what(edges.name[edge]));
    }
  }

  #refuse(at: number, what: string): never {
    return fail(this.#position.file, byteAt(this.#position, at), what);
  }
}

const NEXT: Readonly<Record<string, Readonly<Record<string, State>>>> = {
  start: { '{': 'key-or-end' },
  'key-or-end': { '"': 'in-key', '}': 'end' },
  key: { '"': 'in-key' },
  colon: { ':': 'value' },
  'after-value': { ',': 'key', '}': 'end' },
};

const EXPECTED: Readonly<Record<string, string>> = {
  'key-or-end': 'the name of a section was expected',
  key: 'the name of a section was expected',
  colon: 'a colon was expected',
  'after-value': 'a comma or the end was expected',
  end: 'the snapshot had ended',
};
