/**
 * Heap in use just after a full collection: what the app really holds. It is seen without watching collections, which
 * costs: V8 makes symbols in its old space (`FactoryBase::NewSymbol`), so one that nobody refers to dies in the next full
 * collection and in no smaller one, and its death is told soon after.
 */
export class HeapAfterGc {
  readonly #registry: FinalizationRegistry<null>;
  #bytes: number | null = null;

  constructor() {
    this.#registry = new FinalizationRegistry(() => {
      this.#bytes = heapUsedBytes() ?? this.#bytes;
      this.#arm();
    });
    this.#arm();
  }

  /** Null before the first full collection. */
  get bytes(): number | null {
    return this.#bytes;
  }

  #arm(): void {
    this.#registry.register(Symbol('drover.gc'), null);
  }
}

function heapUsedBytes(): number | null {
  try {
    return process.memoryUsage().heapUsed;
  } catch {
    return null; // No descriptor left.
  }
}
