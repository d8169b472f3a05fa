/**
 * How much may be under way at once: in all, and of one owner, so that one app whose probes all hang takes no other's
 * turn. Who comes later waits; the first who may go goes.
 */
import type { CallOff } from './edges.ts';

export interface LaneLimits {
  readonly atOnce: number;
  readonly ofOneOwner: number;
}

interface Waiting {
  readonly owner: string;
  readonly start: (release: () => void) => void;
}

export class Lanes {
  readonly #limits: LaneLimits;
  readonly #queue: Waiting[] = [];
  readonly #ofOwner = new Map<string, number>();
  #underWay = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Calls `start` when there is room, at once where there is now; it holds its place until it calls `release`. */
  enter(owner: string, start: (release: () => void) => void): CallOff {
    const waiting: Waiting = { owner, start };
    this.#queue.push(waiting);
    this.#next();
    return () => {
      const index = this.#queue.indexOf(waiting);
      if (index !== -1) this.#queue.splice(index, 1);
    };
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  #next(): void {
    while (this.#underWay < this.#limits.atOnce) {
      const index = this.#queue.findIndex(({ owner }) => this.#count(owner) < this.#limits.ofOneOwner);
      const [next] = index === -1 ? [] : this.#queue.splice(index, 1);
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #begin({ owner, start }: Waiting): void {
    this.#underWay += 1;
    this.#ofOwner.set(owner, this.#count(owner) + 1);
    let isHeld = true;
    start(() => {
      if (!isHeld) return;
      isHeld = false;
      this.#underWay -= 1;
      const left = this.#count(owner) - 1;
      if (left === 0) this.#ofOwner.delete(owner);
      else this.#ofOwner.set(owner, left);
      this.#next();
    });
  }

  #count(owner: string): number {
    return this.#ofOwner.get(owner) ?? 0;
  }
}
