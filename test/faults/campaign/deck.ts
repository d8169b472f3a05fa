/** In which order faults are dealt: everything as often as it says before anything comes again, shuffled by the seed. */
import type { Fault } from './fault.ts';

export class Deck {
  readonly #faults: readonly Fault[];
  readonly #random: () => number;
  #cards: Fault[] = [];
  #dealt = 0;

  constructor(faults: readonly Fault[], random: () => number) {
    this.#faults = faults;
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  /** Everything was dealt at least once. */
  get isThrough(): boolean {
    return this.#dealt >= this.#faults.length;
  }

  /** The next fault that `app` can have; null where there is none. */
  deal(app: string): Fault | null {
    const suits = (fault: Fault): boolean => fault.apps?.includes(app) ?? true;
    if (!this.#faults.some(suits)) return null;
    for (;;) {
      const at = this.#cards.findIndex(suits);
      const [fault] = at === -1 ? [] : this.#cards.splice(at, 1);
      if (fault === undefined) {
        this.#cards.push(...this.#shuffled());
        continue;
      }
      this.#dealt += 1;
      return fault;
    }
  }

  /** Each once first, then the rest. */
  #shuffled(): Fault[] {
    const shuffle = (faults: readonly Fault[]): Fault[] =>
      faults
        .map((fault) => ({ fault, at: this.#random() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ fault }) => fault);
    const more = this.#faults.flatMap((fault) => Array.from({ length: fault.times - 1 }, () => fault));
    return [...shuffle(this.#faults), ...shuffle(more)];
  }
}
