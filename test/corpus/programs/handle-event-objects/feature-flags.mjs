class FlagsChanged extends Event {
  constructor(names) {
    super('change');
    this.names = names;
  }
}

class FeatureFlags extends EventTarget {
  #on = new Set(['search']);

  has(name) {
    return this.#on.has(name);
  }

  toggle(name) {
    if (!this.#on.delete(name)) this.#on.add(name);
    this.dispatchEvent(new FlagsChanged([name]));
  }
}

export const flags = new FeatureFlags();
