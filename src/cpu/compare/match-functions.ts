/**
 * Which function of one version is which of the other, by what stays when code is edited: its file, its name, its place
 * between neighbours, and who calls it. A line number alone is never trusted. It matches what was sampled; a function
 * that only one version was seen in stays alone.
 */
import type { CpuFunction } from '../model/profile.ts';
import { groupBy, matchFiles } from './match-files.ts';

/** A function with the little context that tells one anonymous function from another. */
export interface SeenFunction {
  readonly function: CpuFunction;
  /** Name of the nearest caller that has a name, of those the one below which it spent most; empty at the top. */
  readonly caller: string;
}

/**
 * How a pair was found: at the same place; by its name, which is the only one of that name in its file; by its line, moved
 * as far as its neighbours; by its caller; by its order among as many of the same name; by a name that moved to another file.
 */
export type MatchedBy = 'place' | 'name' | 'moved-line' | 'caller' | 'order' | 'moved-file';

export interface Match {
  /** Index into `a`; null for a function that only `b` has. At least one side is not null. */
  readonly a: number | null;
  readonly b: number | null;
  /** Null where one side is missing. */
  readonly by: MatchedBy | null;
}

export const ANONYMOUS = '(anonymous)';

/** Pairs of functions, those of one side only behind them. Each function of both sides is in exactly one match. */
export function matchFunctions(a: readonly SeenFunction[], b: readonly SeenFunction[]): Match[] {
  const matcher = new Matcher(a, b);
  const filesOfB = groupBy(b.keys(), (at) => b[at]?.function.url ?? '');
  const filesOfA = groupBy(a.keys(), (at) => a[at]?.function.url ?? '');
  for (const [one, other] of matchFiles([...filesOfA.keys()], [...filesOfB.keys()]))
    matcher.matchFile(filesOfA.get(one) ?? [], filesOfB.get(other) ?? []);
  matcher.matchMoved();
  return matcher.list();
}

class Matcher {
  readonly #a: readonly SeenFunction[];
  readonly #b: readonly SeenFunction[];
  readonly #toB = new Map<number, { readonly b: number; readonly by: MatchedBy }>();
  readonly #taken = new Set<number>();

  constructor(a: readonly SeenFunction[], b: readonly SeenFunction[]) {
    this.#a = a;
    this.#b = b;
  }

  /** Functions of one file, and of the file that it is in the other version. */
  matchFile(inA: readonly number[], inB: readonly number[]): void {
    const byA = groupBy(inA, (at) => this.#name(this.#a, at));
    const byB = groupBy(inB, (at) => this.#name(this.#b, at));
    const anchors: Anchor[] = [];
    for (const [name, [one = -1, ...moreA]] of byA) {
      const [other = -1, ...moreB] = byB.get(name) ?? [];
      if (name === ANONYMOUS || other === -1 || moreA.length > 0 || moreB.length > 0) continue;
      this.#pair(one, other, this.#isSamePlace(one, other) ? 'place' : 'name');
      anchors.push({ lineA: this.#line(this.#a, one), lineB: this.#line(this.#b, other) });
    }
    anchors.sort((x, y) => x.lineA - y.lineA);
    for (const [name, ones] of byA) {
      const others = byB.get(name);
      if (others !== undefined) this.#matchNamesakes(ones, others, anchors);
    }
  }

  /** Several functions of one name in a file, or anonymous ones. */
  #matchNamesakes(ones: readonly number[], others: readonly number[], anchors: readonly Anchor[]): void {
    for (const tolerance of [0, 1]) {
      for (const one of this.#leftA(ones)) {
        const expected = expectedLines(this.#line(this.#a, one), anchors);
        const free = this.#leftB(others).filter((other) => expected.has(this.#line(this.#b, other)));
        const fits = tolerance === 1 ? free : free.filter((other) => this.#column(one, other));
        if (fits.length === 1)
          this.#pair(one, fits[0] ?? -1, this.#isSamePlace(one, fits[0] ?? -1) ? 'place' : 'moved-line');
      }
    }
    // Where the text around a function moved as one piece, it would have been found at its line: it was not sampled.
    const loose = this.#leftA(ones).filter((one) => !isHeld(this.#line(this.#a, one), anchors));
    for (const [caller, group] of groupBy(loose, (at) => this.#a[at]?.caller ?? '')) {
      const same = this.#leftB(others).filter((at) => this.#b[at]?.caller === caller);
      if (group.length === same.length) this.#pairInOrder(group, same, group.length === 1 ? 'caller' : 'order');
    }
    const [leftA, leftB] = [this.#leftA(loose), this.#leftB(others)];
    // Without a name, being the last one left says nothing.
    if (leftA.length === leftB.length && this.#name(this.#a, leftA[0] ?? -1) !== ANONYMOUS)
      this.#pairInOrder(leftA, leftB, 'order');
  }

  /** A named function that is left alone on both sides, and the only one of its name there, has moved to another file. */
  matchMoved(): void {
    const alone = (side: readonly SeenFunction[], isPaired: (at: number) => boolean): Map<string, number[]> =>
      groupBy(
        [...side.keys()].filter((at) => !isPaired(at) && side[at]?.function.url !== ''),
        (at) => `${side[at]?.function.package ?? ''}\n${this.#name(side, at)}`,
      );
    const inA = alone(this.#a, (at) => this.#toB.has(at));
    const inB = alone(this.#b, (at) => this.#taken.has(at));
    for (const [key, ones] of inA) {
      const others = inB.get(key) ?? [];
      if (key.endsWith(`\n${ANONYMOUS}`) || ones.length !== 1 || others.length !== 1) continue;
      this.#pair(ones[0] ?? -1, others[0] ?? -1, 'moved-file');
    }
  }

  list(): Match[] {
    const pairs: Match[] = [...this.#a.keys()].map((a) => {
      const found = this.#toB.get(a);
      return { a, b: found?.b ?? null, by: found?.by ?? null };
    });
    const news = [...this.#b.keys()].filter((b) => !this.#taken.has(b)).map((b) => ({ a: null, b, by: null }));
    return [...pairs.filter(({ b }) => b !== null), ...pairs.filter(({ b }) => b === null), ...news];
  }

  #pairInOrder(ones: readonly number[], others: readonly number[], by: MatchedBy): void {
    const inOrder = (side: readonly SeenFunction[], ats: readonly number[]): number[] =>
      ats.toSorted((x, y) => this.#line(side, x) - this.#line(side, y) || columnOf(side, x) - columnOf(side, y));
    const sorted = inOrder(this.#b, others);
    for (const [place, one] of inOrder(this.#a, ones).entries()) this.#pair(one, sorted[place] ?? -1, by);
  }

  #pair(a: number, b: number, by: MatchedBy): void {
    this.#toB.set(a, { b, by });
    this.#taken.add(b);
  }

  #leftA = (ats: readonly number[]): number[] => ats.filter((at) => !this.#toB.has(at));
  #leftB = (ats: readonly number[]): number[] => ats.filter((at) => !this.#taken.has(at));
  #name = (side: readonly SeenFunction[], at: number): string => side[at]?.function.name ?? '';
  #line = (side: readonly SeenFunction[], at: number): number => side[at]?.function.line ?? 0;
  #column = (one: number, other: number): boolean => columnOf(this.#a, one) === columnOf(this.#b, other);
  #isSamePlace = (one: number, other: number): boolean =>
    this.#line(this.#a, one) === this.#line(this.#b, other) && this.#column(one, other);
}

const columnOf = (side: readonly SeenFunction[], at: number): number => side[at]?.function.column ?? 0;

/** A function that is known on both sides, and how its file moved there. */
interface Anchor {
  readonly lineA: number;
  readonly lineB: number;
}

/**
 * Where a line has gone, if the text up to it moved as its nearest neighbour above or below did. An edit between the two
 * neighbours is on one side of the line or the other, so that one of both is right.
 */
function expectedLines(line: number, anchors: readonly Anchor[]): Set<number> {
  const moves = movesAround(line, anchors);
  return new Set(moves.length === 0 ? [line] : moves.map((move) => line + move));
}

/** Whether the neighbours above and below moved alike. */
function isHeld(line: number, anchors: readonly Anchor[]): boolean {
  const moves = movesAround(line, anchors);
  return moves.length === 2 && moves[0] === moves[1];
}

function movesAround(line: number, anchors: readonly Anchor[]): number[] {
  const above = anchors.findLast(({ lineA }) => lineA <= line);
  const below = anchors.find(({ lineA }) => lineA > line);
  return [above, below].filter((anchor) => anchor !== undefined).map(({ lineA, lineB }) => lineB - lineA);
}
