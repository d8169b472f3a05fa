/** Open documents by their id. They are only held weakly, so this cannot leak. */
class DocumentRegistry {
  #byId = new Map();

  open(id, load) {
    const open = this.#byId.get(id)?.deref();
    if (open) return open;
    const document = load(id);
    this.#byId.set(id, new WeakRef(document));
    return document;
  }

  get size() {
    return this.#byId.size;
  }
}

export const registry = new DocumentRegistry();
