export class Quota {
  readonly #windowMs: number;
  readonly key: string;
  #timer: NodeJS.Timeout | undefined;
  used = 0;
  history: number[] = [];

  constructor(key: string, windowMs: number) {
    this.key = key;
    this.#windowMs = windowMs;
    this.#reset();
  }

  take(): boolean {
    this.used += 1;
    return this.used <= 100;
  }

  #reset(): void {
    this.history.push(this.used);
    if (this.history.length > 20) this.history.shift();
    this.used = 0;
    this.#timer = setTimeout(() => this.#reset(), this.#windowMs);
    this.#timer.unref();
  }
}
