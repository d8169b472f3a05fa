/** Labels of a flame graph, and which functions share one: the same place in one version, the same function in two. */
import type { ComparedFunction } from '../compare/compare.ts';
import { placeOf } from '../compare/window.ts';
import type { CpuFunction } from '../model/profile.ts';
import type { Side } from './merged-tree.ts';

export interface LabelledFunction {
  /** As the later version has it, where it does. */
  readonly fn: CpuFunction;
  readonly change: ComparedFunction | null;
}

/** Gives functions their labels, one after the other as they come. */
export class FlameLabels {
  readonly list: LabelledFunction[] = [];
  readonly #byPlace = { after: new Map<string, number>(), before: new Map<string, number>() };

  /** `compared`: functions of both versions, and which are one. */
  constructor(compared: readonly ComparedFunction[]) {
    for (const change of compared) {
      const [before, after] = change.functions;
      const fn = after ?? before;
      if (fn === null) continue;
      const label = this.list.push({ fn, change }) - 1;
      if (before !== null) this.#byPlace.before.set(placeOf(before), label);
      if (after !== null) this.#byPlace.after.set(placeOf(after), label);
    }
  }

  labelOf(side: Side, fn: CpuFunction): number {
    const place = placeOf(fn);
    let label = this.#byPlace[side].get(place);
    if (label !== undefined) return label;
    // What the comparison did not speak of (the root, idle time) is the same where it is called the same.
    const other = this.#byPlace[side === 'after' ? 'before' : 'after'].get(place);
    label = other === undefined || this.list[other]?.change !== null ? this.list.push({ fn, change: null }) - 1 : other;
    this.#byPlace[side].set(place, label);
    return label;
  }
}
