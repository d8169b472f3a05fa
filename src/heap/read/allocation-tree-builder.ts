/**
 * Builds an `AllocationTree` while a file is read in its order: `open`, facts of the node in any order, children, `close`.
 * Functions that are the same by name and place are one.
 */
import { BadFile, NumberColumn, WrongValue } from '../../input/index.ts';
import type { AllocatingFunction, AllocationTree } from '../model/allocation-tree.ts';

const NO_FRAME: AllocatingFunction = { name: '', scriptName: '', scriptId: 0, line: 0, column: 0 };

export class AllocationTreeBuilder {
  readonly #functions: AllocatingFunction[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #parent = new NumberColumn();
  readonly #functionOf = new NumberColumn();
  readonly #bytes: number[] = [];
  /** Nodes that are open, innermost last, and what is known of each one's function. */
  readonly #open: number[] = [];
  readonly #frames: AllocatingFunction[] = [];

  open(): void {
    this.#open.push(this.#parent.count);
    this.#frames.push(NO_FRAME);
    this.#parent.push(this.#open.at(-2) ?? -1);
    this.#functionOf.push(0);
    this.#bytes.push(0);
  }

  setFrame(part: Partial<AllocatingFunction>): void {
    const at = this.#frames.length - 1;
    this.#frames[at] = { ...(this.#frames[at] ?? NO_FRAME), ...part };
  }

  setBytes(bytes: number): void {
    if (!(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER))
      throw new WrongValue(`a number of bytes was expected, found ${bytes}`);
    this.#bytes[this.#open.at(-1) ?? 0] = bytes;
  }

  close(): void {
    const node = this.#open.pop();
    const frame = this.#frames.pop();
    if (node !== undefined && frame !== undefined) this.#functionOf.values[node] = this.#indexOf(frame);
  }

  #indexOf(frame: AllocatingFunction): number {
    const key = `${frame.scriptId}\0${frame.line}\0${frame.column}\0${frame.name}\0${frame.scriptName}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#byKey.set(key, this.#functions.length);
    return this.#functions.push({ ...frame, name: frame.name === '' ? '(anonymous)' : frame.name }) - 1;
  }

  /** Throws `BadFile` when there was no node at all. */
  finish(file: string): AllocationTree {
    if (this.#parent.count === 0)
      throw new BadFile({ file, where: null, what: 'a tree of calls (`head`) was expected, and there is none' });
    return {
      functions: this.#functions,
      parent: Int32Array.from(this.#parent.values.subarray(0, this.#parent.count)),
      functionOf: Uint32Array.from(this.#functionOf.values.subarray(0, this.#functionOf.count)),
      selfBytes: Float64Array.from(this.#bytes),
      selfCount: null,
    };
  }
}
