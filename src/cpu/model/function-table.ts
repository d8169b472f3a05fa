/** Functions of a profile that is being read, each once; and what readers know of one before it has a category. */
import { WrongValue } from '../../input/index.ts';
import { categorize, findPackage, isMeta, type WithoutFile } from './categorize.ts';
import type { CpuFunction } from './profile.ts';

export interface FunctionPlace {
  readonly name: string;
  readonly url: string;
  /** From 1; 0 where unknown. */
  readonly line: number;
  readonly column: number;
}

/** More functions than this are no program: a hostile file could otherwise take memory without end. */
const MAX_FUNCTIONS = 16_000_000;

export class FunctionTable {
  readonly places: FunctionPlace[] = [];
  /** Whether one of V8's own entries is among them: what has no file is V8's own code then. */
  isFromV8 = false;
  readonly #indexes = new Map<string, number>();

  /** Index of the function at that place; an empty name becomes `(anonymous)`. */
  add(name: string, url: string, line: number, column: number): number {
    const key = `${name}\n${url}\n${line}:${column}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.places.length;
    if (index >= MAX_FUNCTIONS) throw new WrongValue(`more than ${MAX_FUNCTIONS} functions`);
    if (name !== '(root)' && isMeta(name)) this.isFromV8 = true;
    this.places.push({ name: name === '' ? '(anonymous)' : name, url, line, column });
    this.#indexes.set(key, index);
    return index;
  }

  list(withoutFile: WithoutFile): CpuFunction[] {
    return this.places.map((place) => ({
      ...place,
      category: categorize(place, withoutFile),
      package: findPackage(place.url),
    }));
  }
}
