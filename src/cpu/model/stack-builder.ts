/**
 * Builds a call tree from stacks, as formats have them that know no tree: equal stacks end in the same node. Holds the
 * tree only, never the stacks.
 */
import { NumberColumn, WrongValue } from '../../input/index.ts';
import { FunctionTable } from './function-table.ts';

/** Functions fit into 25 bits, see the table; nodes above make a key that a double holds exactly. */
const FUNCTIONS = 2 ** 25;
/** A map of V8 holds 2^24 entries. */
const MAX_NODES = 16_000_000;

export class StackBuilder {
  readonly functions = new FunctionTable();
  readonly #parent = new NumberColumn();
  readonly #functionOf = new NumberColumn();
  readonly #children = new Map<number, number>();
  readonly #selfUs: number[] = [];
  readonly #hits: number[] = [];

  constructor() {
    this.#parent.push(-1);
    this.#functionOf.push(this.functions.add('(root)', '', 0, 0));
    this.#selfUs.push(0);
    this.#hits.push(0);
  }

  get nodeCount(): number {
    return this.#parent.count;
  }

  /** The node of that function under `parent` (0 is the root). */
  child(parent: number, functionIndex: number): number {
    // Some write the root as the outermost frame.
    if (parent === 0 && functionIndex === this.#functionOf.at(0)) return 0;
    if (this.#parent.count >= MAX_NODES) throw new WrongValue(`more than ${MAX_NODES} nodes`);
    const key = parent * FUNCTIONS + functionIndex;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const node = this.#parent.count;
    this.#parent.push(parent);
    this.#functionOf.push(functionIndex);
    this.#selfUs.push(0);
    this.#hits.push(0);
    this.#children.set(key, node);
    return node;
  }

  add(node: number, weightUs: number, hits: number): void {
    this.#selfUs[node] = (this.#selfUs[node] as number) + weightUs;
    this.#hits[node] = (this.#hits[node] as number) + hits;
  }

  finish(): {
    readonly nodeCount: number;
    readonly parent: Int32Array;
    readonly functionOf: Uint32Array;
    readonly selfUs: Float64Array;
    readonly hits: Uint32Array;
  } {
    const nodeCount = this.#parent.count;
    return {
      nodeCount,
      parent: Int32Array.from(this.#parent.values.subarray(0, nodeCount)),
      functionOf: Uint32Array.from(this.#functionOf.values.subarray(0, nodeCount)),
      selfUs: Float64Array.from(this.#selfUs),
      hits: Uint32Array.from(this.#hits),
    };
  }
}
