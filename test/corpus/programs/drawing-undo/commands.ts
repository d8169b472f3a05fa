export type Undo = () => void;

export class History {
  readonly #undos: Undo[] = [];

  /** Does something and keeps how to take it back. */
  perform(redo: () => Undo): void {
    this.#undos.push(redo());
  }

  get depth(): number {
    return this.#undos.length;
  }

  undo(): void {
    this.#undos.pop()?.();
  }
}
