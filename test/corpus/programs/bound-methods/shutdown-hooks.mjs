export class ShutdownHooks {
  #hooks = new Set();

  add(hook) {
    this.#hooks.add(hook);
    return () => this.#hooks.delete(hook);
  }

  async run() {
    for (const hook of this.#hooks) await hook();
  }
}

export const shutdown = new ShutdownHooks();
