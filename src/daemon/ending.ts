/**
 * The daemon ends once, whoever asks and how often. While it begins, or is about to become another program, there is no
 * end: who asks then is heard as soon as that is over.
 */
type End = (keepsWorkers: boolean, exitCode: number) => Promise<void>;

export class Ending {
  /** Null while it begins. */
  #end: End | null = null;
  #phase: 'busy' | 'open' | 'ending' = 'busy';
  #waiting: (() => void) | null = null;
  readonly #asked = Promise.withResolvers<void>();

  /** Resolves when it is asked for the first time. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Whether somebody waits to be heard. */
  get isAsked(): boolean {
    return this.#waiting !== null;
  }

  /** It ends: nothing may begin any more that it would not see to the end. */
  get hasBegun(): boolean {
    return this.#phase === 'ending';
  }

  ask(keepsWorkers: boolean, exitCode = 0): void {
    this.#asked.resolve();
    if (this.#phase === 'ending') return;
    if (this.#phase === 'busy' || this.#end === null) {
      this.#waiting ??= () => this.ask(keepsWorkers, exitCode);
      return;
    }
    this.#phase = 'ending';
    void this.#end(keepsWorkers, exitCode);
  }

  /** From now on it can end. `end` does not return where all goes well. */
  begin(end: End): void {
    this.#end = end;
    this.#hear();
  }

  /** `work` returns only where it was called off; where the end has begun it is not even tried. */
  async become(work: () => Promise<void>): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'busy';
    try {
      await work();
    } finally {
      this.#hear();
    }
  }

  #hear(): void {
    this.#phase = 'open';
    this.#waiting?.();
  }
}
