/** Labels of a flame graph, and which functions share one: the same place in one version, the same function in two. */
import type { CpuFunction } from '../model/profile.ts';
import type { Side } from './merged-tree.ts';

/** What a comparison knows of one function (`compareProfiles` makes these). */
export interface FunctionChange {
  /** The function as each version has it; null where a version never ran it. */
  readonly functions: readonly [before: CpuFunction | null, after: CpuFunction | null];
  /** The least false-discovery rate at which it would be reported; null where it was not tested. */
  readonly q: number | null;
  readonly isChanged: boolean;
}

export interface LabelledFunction {
  /** As the later version has it, where it does. */
  fn: CpuFunction;
  readonly change: FunctionChange | null;
}

/** Gives functions their labels, one after the other as they come. */
export class FlameLabels {
  readonly list: LabelledFunction[] = [];
  readonly #byPlace = { after: new Map<string, number>(), before: new Map<string, number>() };

  /** `changes`: functions of both versions that are known to be one. */
  constructor(changes: readonly FunctionChange[]) {
    for (const change of changes) {
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

const placeOf = ({ name, url, line, column }: CpuFunction): string => `${name}\n${url}\n${line}:${column}`;
