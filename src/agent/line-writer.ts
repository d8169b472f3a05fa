/**
 * Writes lines to a non-blocking descriptor, at once and in order: the same way in the middle of the app's life and in
 * its `exit` handler. What the other side does not take is kept up to a bound; behind a daemon that is away nothing
 * may grow. Knows no descriptor: it is given a way to write.
 */

const RETRY_MS = 20;
const MAX_KEPT_BYTES = 1024 * 1024;

export class LineWriter {
  readonly #write: (bytes: Uint8Array) => number;
  readonly #onBroken: () => void;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isBroken = false;

  /** `write` is as `fs.writeSync`; `onBroken` is called, once, when it throws anything but EAGAIN. */
  constructor(write: (bytes: Uint8Array) => number, onBroken: () => void) {
    this.#write = write;
    this.#onBroken = onBroken;
  }

  /** False when the line was dropped because too much is waiting, or nobody will read it. */
  write(line: string): boolean {
    if (this.#isBroken) return false;
    const bytes = Buffer.from(`${line}\n`);
    if (this.#keptBytes > 0) {
      if (this.#keptBytes + bytes.length > MAX_KEPT_BYTES) return false;
      this.#keep(bytes);
      this.#flush();
      return true;
    }
    const written = this.#tryWrite(bytes);
    if (written < bytes.length) this.#keep(bytes.subarray(written));
    return !this.#isBroken;
  }

  close(): void {
    this.#isBroken = true;
    this.#kept = [];
    this.#keptBytes = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #flush(): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      const written = this.#tryWrite(first);
      this.#keptBytes -= written;
      if (written < first.length) {
        this.#kept[0] = first.subarray(written);
        return;
      }
      this.#kept.shift();
    }
  }

  #tryWrite(bytes: Buffer): number {
    try {
      return this.#write(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      this.close();
      this.#onBroken();
      return 0;
    }
  }

  #keep(bytes: Buffer): void {
    if (this.#isBroken) return;
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    this.#retryLater();
  }

  #retryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#flush();
      if (this.#keptBytes > 0) this.#retryLater();
    }, RETRY_MS).unref();
  }
}
