/**
 * Reads `.cpuprofile`, as Node and Chrome write it: nodes with lists of children or with a parent each, and the older
 * form, one tree of nodes in nodes under `head`. One pass over the file, into columns.
 *
 * Refuses nodes that do not make one tree, samples of nodes that are not there, and times that are none. What is next
 * to it in Chrome's tools (heap profiles, heap snapshots, traces) is told by name.
 */
import {
  any,
  array,
  BadFile,
  type JsonShape,
  number,
  NumberColumn,
  numbers,
  object,
  string,
  WrongValue,
} from '../../input/index.ts';
import { FunctionTable } from '../model/function-table.ts';
import { orderTree } from '../model/order-tree.ts';
import { NO_LINE_TICKS, NO_SAMPLES, SampleColumns } from '../model/samples.ts';
import type { LineTicks, Samples } from '../model/profile.ts';
import { indexIds } from './node-ids.ts';
import { toPosition } from './position.ts';
import { MAX_US, type RawProfile } from './raw-profile.ts';
import { timeSamples } from './time-samples.ts';

const NO_PARENT = -1;

export class CpuProfileReader {
  readonly #file: string;
  readonly #functions = new FunctionTable();
  /** Per node of the file. */
  readonly #ids = new NumberColumn();
  readonly #functionOf = new NumberColumn();
  readonly #hits = new NumberColumn();
  readonly #firstChild = new NumberColumn();
  readonly #parentIds = new NumberColumn();
  readonly #children = new NumberColumn();
  readonly #tickNodes = new NumberColumn();
  readonly #tickLines = new NumberColumn();
  readonly #tickCounts = new NumberColumn();
  readonly #deoptReasons = new Map<number, readonly string[]>();
  readonly #samples = new NumberColumn();
  readonly #deltas = new NumberColumn();
  /** Nodes that are open in the older form, outermost first. */
  readonly #open: number[] = [];
  #startTime = 0;
  #endTime = 0;
  #hasHits = false;
  #hasParents = false;
  #hasHead = false;
  #hasNodes = false;
  #hasTimestamps = false;
  #name = '';
  #url = '';
  #line = 0;
  #column = 0;
  #tickLine = 0;
  #isSettled = false;

  /** Fields of the file's outermost object. */
  readonly fields: Readonly<Record<string, JsonShape>>;

  constructor(file: string) {
    this.#file = file;
    this.fields = {
      nodes: array(this.#flatNode(), {
        onStart: () => {
          if (this.#hasNodes || this.#hasHead) throw new WrongValue('a second list of nodes');
          this.#hasNodes = true;
        },
      }),
      startTime: number((time) => {
        this.#startTime = time;
      }),
      endTime: number((time) => {
        this.#endTime = time;
      }),
      samples: numbers(this.#samples, { onStart: onlyOnce(this.#samples) }),
      timeDeltas: numbers(this.#deltas, { onStart: onlyOnce(this.#deltas) }),
      head: this.#nestedNode(),
      timestamps: numbers(this.#deltas, {
        onStart: () => {
          onlyOnce(this.#deltas)();
          this.#hasTimestamps = true;
        },
      }),
    };
  }

  /** Whether the file had what makes a profile of this kind. */
  get hasTree(): boolean {
    return this.#hasNodes || this.#hasHead;
  }

  #flatNode(): JsonShape {
    return object(
      {
        ...this.#nodeFields(),
        children: numbers(this.#children),
        parent: number((id) => {
          this.#hasParents = true;
          this.#parentIds.set(this.#current, id);
        }),
      },
      { onStart: this.#startNode, onEnd: this.#endNode },
    );
  }

  /** The older form: children are nodes themselves, and fields of the function stand in the node, lines from 1. */
  #nestedNode(): JsonShape {
    const node: JsonShape = object(
      {
        functionName: string((name) => {
          this.#name = name;
        }),
        url: string((url) => {
          this.#url = url;
        }),
        lineNumber: number((line) => {
          this.#line = line;
        }),
        columnNumber: number((column) => {
          this.#column = column;
        }),
        ...this.#nodeFields(),
        selfSize: any(() => {
          throw new WrongValue('this is a sampling heap profile, not a CPU profile: `drover heap` reads it');
        }),
        children: array(() => node),
      },
      {
        onStart: () => {
          if (this.#open.length === 0) {
            if (this.#hasNodes || this.#hasHead) throw new WrongValue('a second tree of nodes');
            this.#hasHead = true;
          }
          // Children come in the middle of their parent, whose function is known by then or never.
          const parent = this.#open.at(-1);
          if (parent !== undefined) this.#settleFunction(parent);
          this.#startNode();
          const node = this.#ids.count - 1;
          this.#functionOf.push(0);
          this.#parentIds.set(node, parent ?? NO_PARENT);
          this.#open.push(node);
          this.#isSettled = false;
        },
        onEnd: () => {
          const node = this.#open.pop() as number;
          this.#settleFunction(node);
        },
      },
    );
    return node;
  }

  #nodeFields(): Record<string, JsonShape> {
    return {
      id: number((id) => {
        if (!Number.isSafeInteger(id) || id < 0) throw new WrongValue(`${id} is not the id of a node`);
        this.#ids.set(this.#current, id);
      }),
      callFrame: object({
        functionName: string((name) => {
          this.#name = name;
        }),
        url: string((url) => {
          this.#url = url;
        }),
        lineNumber: number((line) => {
          this.#line = line + 1;
        }),
        columnNumber: number((column) => {
          this.#column = column + 1;
        }),
      }),
      hitCount: number((count) => {
        if (!(count >= 0 && count <= 0xffff_ffff)) throw new WrongValue(`${count} is not a count`);
        this.#hasHits = true;
        this.#hits.set(this.#current, count);
      }),
      positionTicks: array(
        object({
          line: number((line) => {
            this.#tickLine = line;
          }),
          ticks: number((ticks) => {
            this.#tickNodes.push(this.#current);
            this.#tickLines.push(toPosition(this.#tickLine));
            this.#tickCounts.push(toPosition(ticks));
          }),
        }),
      ),
      deoptReason: string((reason) => {
        // Older ones write so for every function that was optimised.
        if (reason !== '' && reason !== 'no reason') this.#deoptReasons.set(this.#current, [reason]);
      }),
    };
  }

  /** The fields in hand are of the node that was begun last, until its first child or its end. */
  #settleFunction(node: number): void {
    if (!this.#isSettled) this.#functionOf.set(node, this.#addFunction());
    this.#isSettled = true;
  }

  /** The node whose fields are being read. */
  get #current(): number {
    return this.#open.at(-1) ?? this.#ids.count - 1;
  }

  readonly #startNode = (): void => {
    this.#ids.push(this.#ids.count);
    this.#hits.push(0);
    this.#firstChild.push(this.#children.count);
    this.#parentIds.push(NO_PARENT);
    this.#name = '';
    this.#url = '';
    this.#line = 0;
    this.#column = 0;
  };

  readonly #endNode = (): void => {
    this.#functionOf.push(this.#addFunction());
  };

  #addFunction(): number {
    return this.#functions.add(this.#name, this.#url, toPosition(this.#line), toPosition(this.#column));
  }

  finish(): RawProfile {
    const nodeCount = this.#ids.count;
    if (nodeCount === 0) this.#fail('nodes', 'there is not a single node');
    const indexOf = indexIds(this.#ids, (node, what) => this.#fail(`nodes[${node}].id`, what));
    const { parent, order } = orderTree(this.#findParents(indexOf), this.#file, (node) => `nodes[${node}]`);
    const placeOf = order === null ? null : invert(order);
    const functionOf = takeInOrder(this.#functionOf, order);
    const hits = takeInOrder(this.#hits, order);
    const notes: string[] = [];
    const { samples, durationUs, selfUs } = this.#time({ indexOf, placeOf, hits, notes });
    const rename = placeOf === null ? (node: number) => node : (node: number) => placeOf[node] as number;
    return {
      functions: this.#functions,
      withoutFile: 'native',
      nodeCount,
      parent,
      functionOf,
      selfUs,
      hits,
      lineTicks: this.#listLineTicks(rename),
      samples,
      isChronological: samples.count > 0,
      sampleCount: samples.count > 0 ? samples.count : hits.reduce((sum, count) => sum + count, 0),
      durationUs,
      unit: 'microseconds',
      deoptReasons: new Map([...this.#deoptReasons].map(([node, reasons]) => [rename(node), reasons])),
      notes,
    };
  }

  #findParents(indexOf: (id: number) => number | undefined): Int32Array {
    const count = this.#ids.count;
    const parent = new Int32Array(count).fill(NO_PARENT);
    if (this.#hasHead) {
      for (let node = 0; node < count; node += 1) parent[node] = this.#parentIds.at(node);
      return parent;
    }
    for (let node = 0; node < count; node += 1) {
      const first = this.#firstChild.at(node);
      const end = node + 1 < count ? this.#firstChild.at(node + 1) : this.#children.count;
      for (let place = first; place < end; place += 1) {
        const id = this.#children.at(place);
        const child = indexOf(id);
        const where = `nodes[${node}].children[${place - first}]`;
        if (child === undefined) this.#fail(where, `there is no node ${id}`);
        if (parent[child] !== NO_PARENT) this.#fail(where, `node ${id} has another parent already`);
        parent[child] = node;
      }
    }
    if (this.#hasParents && this.#children.count === 0) {
      for (let node = 0; node < count; node += 1) {
        const id = this.#parentIds.at(node);
        if (id === NO_PARENT) continue;
        const above = indexOf(id);
        if (above === undefined) this.#fail(`nodes[${node}].parent`, `there is no node ${id}`);
        parent[node] = above;
      }
    }
    return parent;
  }

  #time({ indexOf, placeOf, hits, notes }: Times): {
    readonly samples: Samples;
    readonly durationUs: number;
    readonly selfUs: Float64Array;
  } {
    const selfUs = new Float64Array(hits.length);
    // The older form counts seconds at its ends, and microseconds between.
    const spanUs = (this.#endTime - this.#startTime) * (this.#hasHead ? 1e6 : 1);
    if (this.#samples.count === 0) {
      const total = hits.reduce((sum, count) => sum + count, 0);
      if (total === 0) return { samples: NO_SAMPLES, durationUs: 0, selfUs };
      if (!(spanUs >= 0 && spanUs <= MAX_US)) this.#fail('endTime', `the profile would have taken ${spanUs} µs`);
      for (const [node, count] of hits.entries()) selfUs[node] = (count * spanUs) / total;
      return { samples: NO_SAMPLES, durationUs: spanUs, selfUs };
    }
    const sampled = this.#placeSamples(indexOf, placeOf);
    this.#completeDeltas(sampled.length, spanUs);
    const { node, durationUs, totalUs, outOfOrder } = timeSamples(sampled, this.#deltas, spanUs, this.#file);
    if (outOfOrder > 0) notes.push(`${outOfOrder} of ${node.length} samples were out of order and have been sorted`);
    for (let index = 0; index < node.length; index += 1) {
      const at = node[index] as number;
      selfUs[at] = (selfUs[at] as number) + (durationUs[index] as number);
      if (!this.#hasHits) hits[at] = (hits[at] as number) + 1;
    }
    return { samples: new SampleColumns(node, durationUs), durationUs: totalUs, selfUs };
  }

  /** Nodes of the samples, in the memory that their ids came in where that is of the right kind. */
  #placeSamples(indexOf: (id: number) => number | undefined, placeOf: Uint32Array | null): Uint32Array {
    const { values, count } = this.#samples;
    const node = values instanceof Int32Array ? new Uint32Array(values.buffer, 0, count) : new Uint32Array(count);
    for (let index = 0; index < count; index += 1) {
      const id = values[index] as number;
      const found = indexOf(id);
      if (found === undefined) this.#fail(`samples[${index}]`, `there is no node ${id}`);
      node[index] = placeOf === null ? found : (placeOf[found] as number);
    }
    return node;
  }

  #completeDeltas(count: number, spanUs: number): void {
    const deltas = this.#deltas;
    if (deltas.count === 0) {
      // Chrome once wrote none: samples are taken to be even then.
      if (!(spanUs >= 0 && spanUs <= MAX_US)) this.#fail('endTime', `the profile would have taken ${spanUs} µs`);
      for (let index = 0; index < count; index += 1) deltas.push(index === 0 ? 0 : spanUs / count);
      return;
    }
    // One more than samples is the length of the last one, which this project's writer adds.
    if (deltas.count !== count && deltas.count !== count + 1) {
      const name = this.#hasTimestamps ? 'timestamps' : 'timeDeltas';
      this.#fail(name, `${deltas.count} times for ${count} samples`);
    }
    if (!this.#hasTimestamps) return;
    for (let index = deltas.count - 1; index > 0; index -= 1) {
      const delta = deltas.at(index) - deltas.at(index - 1);
      if (Math.abs(delta) >= 2 ** 31 && deltas.values instanceof Int32Array)
        this.#fail(`timestamps[${index}]`, 'a gap of more than half an hour');
      deltas.values[index] = delta;
    }
    deltas.values[0] = 0;
  }

  #listLineTicks(rename: (node: number) => number): LineTicks {
    const count = this.#tickNodes.count;
    if (count === 0) return NO_LINE_TICKS;
    return {
      count,
      node: toUint32(this.#tickNodes).map(rename),
      line: toUint32(this.#tickLines),
      ticks: toUint32(this.#tickCounts),
    };
  }

  #fail(where: string, what: string): never {
    throw new BadFile({ file: this.#file, where, what });
  }
}

interface Times {
  readonly indexOf: (id: number) => number | undefined;
  readonly placeOf: Uint32Array | null;
  readonly hits: Uint32Array;
  readonly notes: string[];
}

const onlyOnce = (column: NumberColumn) => (): void => {
  if (column.count > 0) throw new WrongValue('a second list of the same name');
};

const toUint32 = ({ values, count }: NumberColumn): Uint32Array => Uint32Array.from(values.subarray(0, count));

const takeInOrder = ({ values, count }: NumberColumn, order: Uint32Array | null): Uint32Array => {
  const column = new Uint32Array(count);
  for (let index = 0; index < count; index += 1)
    column[index] = values[order === null ? index : (order[index] as number)] as number;
  return column;
};

const invert = (order: Uint32Array): Uint32Array => {
  const placeOf = new Uint32Array(order.length);
  for (const [place, node] of order.entries()) placeOf[node] = place;
  return placeOf;
};
