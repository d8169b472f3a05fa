/**
 * Writes lines to a non-blocking descriptor, at once and in order: the same way in the middle of the app's life and in
 * its `exit` handler. What the other side does not take is kept up to a bound; behind a daemon that is away nothing
 * may grow. The bound is one for each sender, so that an app that floods drops nothing but its own. Knows no
 * descriptor: it is given a way to write.
 */

/** Whose line it is. */
export type Sender = 'agent' | 'app';

interface KeptLine {
  readonly sender: Sender;
  bytes: Buffer;
}

const RETRY_MS = 20;
/** Of each sender. */
const MAX_KEPT_BYTES = 1024 * 1024;

export class LineWriter {
  readonly #write: (bytes: Uint8Array) => number;
  readonly #onBroken: () => void;
  #kept: KeptLine[] = [];
  readonly #keptBytes: Record<Sender, number> = { agent: 0, app: 0 };
  #timer: NodeJS.Timeout | null = null;
  #isBroken = false;
  /** Told whenever something begins to wait, and when nothing does any more. */
  onWaiting: ((isWaiting: boolean) => void) | null = null;

  /** `write` is as `fs.writeSync`; `onBroken` is called, once, when it throws anything but EAGAIN. */
  constructor(write: (bytes: Uint8Array) => number, onBroken: () => void) {
    this.#write = write;
    this.#onBroken = onBroken;
  }

  /** False when the line was dropped because too much is waiting, or nobody will read it. */
  write(line: string, sender: Sender): boolean {
    // Before anything is dropped: the other side may have begun to read.
    this.#flush();
    if (this.#isBroken) return false;
    const bytes = Buffer.from(`${line}\n`);
    let written = 0;
    if (this.#kept.length === 0) written = this.#tryWrite(bytes);
    else if (this.#keptBytes[sender] + bytes.length > MAX_KEPT_BYTES) return false;
    if (written < bytes.length) this.#keep({ sender, bytes: bytes.subarray(written) });
    return !this.#isBroken;
  }

  close(): void {
    this.#isBroken = true;
    this.#kept = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #flush(): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      const written = this.#tryWrite(first.bytes);
      if (this.#isBroken) return;
      this.#keptBytes[first.sender] -= written;
      first.bytes = first.bytes.subarray(written);
      if (first.bytes.length > 0) return;
      this.#kept.shift();
      if (this.#kept.length === 0) this.onWaiting?.(false);
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

  #keep(line: KeptLine): void {
    if (this.#isBroken) return;
    this.#kept.push(line);
    this.onWaiting?.(true);
    this.#keptBytes[line.sender] += line.bytes.length;
    this.#retryLater();
  }

  #retryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#flush();
      if (this.#kept.length > 0) this.#retryLater();
    }, RETRY_MS).unref();
  }
}
