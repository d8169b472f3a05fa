/**
 * Which port each `listen(0)` of an app got, by its place among those of one process: all workers share it, and the next
 * ones get it again. Forgotten as soon as nothing of ours listens there: any other one does as well then.
 */
export class RandomPorts {
  readonly #ports = new Map<number, number>();

  /** Undefined: none yet. */
  find(index: number): number | undefined {
    return this.#ports.get(index);
  }

  /** Null for a port that was asked for by its number. */
  indexOf(port: number): number | null {
    for (const [index, own] of this.#ports) if (own === port) return index;
    return null;
  }

  note(index: number, port: number): void {
    this.#ports.set(index, port);
  }

  forget(port: number): void {
    for (const [index, own] of this.#ports) if (own === port) this.#ports.delete(index);
  }
}
