interface Slot<V> {
  value: V;
  usedAt: number;
}

/** Bounded by a number of entries: what was not used for longest goes. */
export class Lru<V> {
  readonly #slots = new Map<string, Slot<V>>();
  readonly #limit: number;
  #clock = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: (key: string) => V): V {
    const slot = this.#slots.get(key) ?? { value: make(key), usedAt: 0 };
    slot.usedAt = ++this.#clock;
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    if (this.#slots.size > this.#limit) this.#slots.delete(this.#slots.keys().next().value as string);
    return slot.value;
  }
}
