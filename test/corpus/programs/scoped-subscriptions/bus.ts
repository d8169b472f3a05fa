export class Bus extends EventTarget {
  publish(topic: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(topic, { detail }));
  }

  /** All that is subscribed in a scope ends with it. */
  async scope<T>(work: (on: (topic: string, seen: (detail: unknown) => void) => void) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    try {
      return await work((topic, seen) => {
        this.addEventListener(topic, (event) => seen((event as CustomEvent).detail), { signal: controller.signal });
      });
    } finally {
      controller.abort();
    }
  }
}
