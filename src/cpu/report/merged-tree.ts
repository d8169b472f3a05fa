/**
 * Call trees of several profiles as one, by what is called and not by where it stands in the file: windows of one side
 * add up, and two sides stand beside each other. Idle time is left out: it is no work of any function.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import type { FlameTree } from '../../view/index.ts';

export type Side = 'after' | 'before';

export class MergedTree {
  readonly #isDifferential: boolean;
  readonly #labelOfFunction: (side: Side, fn: CpuFunction) => number;
  readonly #parent: number[] = [];
  readonly #label: number[] = [];
  readonly #self: number[] = [];
  readonly #selfBefore: number[] = [];
  /** Child by its parent and label, `parent × MOST_LABELS + label`. */
  readonly #children = new Map<number, number>();
  readonly idle = { after: 0, before: 0 };

  /** `labelOf` says which label a function has; both sides may share one. */
  constructor(isDifferential: boolean, labelOf: (side: Side, fn: CpuFunction) => number) {
    this.#isDifferential = isDifferential;
    this.#labelOfFunction = labelOf;
  }

  /** Per node of the profile its place in the tree; idle nodes are at the root. */
  add(profile: CpuProfile, side: Side): Uint32Array {
    const placeOf = new Uint32Array(profile.nodeCount);
    const labels = profile.functions.map((fn) => this.#labelOfFunction(side, fn));
    const self = side === 'after' ? this.#self : this.#selfBefore;
    for (let node = 0; node < profile.nodeCount; node += 1) {
      const index = profile.functionOf[node] as number;
      const weight = profile.selfUs[node] as number;
      const above = profile.parent[node] as number;
      if (profile.functions[index]?.category === 'idle') {
        this.idle[side] += weight;
        continue;
      }
      const place =
        node === 0
          ? this.#root(labels[index] as number)
          : this.#child(placeOf[above] as number, labels[index] as number);
      placeOf[node] = place;
      self[place] = (self[place] as number) + weight;
    }
    return placeOf;
  }

  finish(): FlameTree {
    return {
      count: this.#parent.length,
      parent: Int32Array.from(this.#parent),
      labelOf: Uint32Array.from(this.#label),
      self: Float64Array.from(this.#self),
      selfBefore: this.#isDifferential ? Float64Array.from(this.#selfBefore) : null,
    };
  }

  #root(label: number): number {
    return this.#parent.length === 0 ? this.#push(-1, label) : 0;
  }

  #child(above: number, label: number): number {
    const key = above * MOST_LABELS + label;
    let place = this.#children.get(key);
    if (place === undefined) {
      place = this.#push(above, label);
      this.#children.set(key, place);
    }
    return place;
  }

  #push(above: number, label: number): number {
    this.#label.push(label);
    this.#self.push(0);
    this.#selfBefore.push(0);
    return this.#parent.push(above) - 1;
  }
}

/** Leaves 2^29 nodes before the keys run out of digits. */
const MOST_LABELS = 2 ** 24;
