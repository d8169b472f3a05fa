/**
 * One of the worker's output files while its disk may be full. What finds no room is dropped and counted instead of
 * ending the app; once there is room again a line in the file says how much is missing. While it is full, the disk is
 * asked only now and then: on some file systems the answer "no space" takes a commit of the journal, which an app under
 * load cannot pay for each of its lines. Knows nothing of `fs`: it is given a way to write.
 */
import type { LogDrops } from '../protocol/agent.ts';

/**
 * The system's words for "not now": no space, over quota, a failing device, a file system gone read-only over it, and a file
 * as long as any may be there: rotation in place makes it smaller, not shorter.
 */
const ABSORBED: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG']);

/** While full, the next try is not before this. */
export const RETRY_MS = 200;
/** After the last line dropped it still counts as dropping for this long: room comes and goes while somebody cleans up. */
export const HOLD_MS = 5_000;

const NEWLINE = 0x0a;

export class GuardedStream {
  readonly #write: (bytes: Uint8Array) => number;
  readonly #nowMs: () => number;
  readonly #onFull: () => void;
  #lines = 0;
  #bytes = 0;
  /** What the notes in the file have told of. */
  #toldLines = 0;
  #toldBytes = 0;
  #code = '';
  /** What was printed last found no room. */
  isFull = false;
  /** The last byte that reached the file: does it end within a line? */
  lastByte = NEWLINE;
  #triedAtMs = -Infinity;
  #droppedAtMs = -Infinity;
  /** The rest of a note that only half fitted, or the end of a line: it comes before anything else. */
  #owed: Uint8Array | null = null;

  /** `write` returns how many bytes were taken, and throws as `fs.writeSync` does; `nowMs` never goes back; `onFull` is called for each refusal. */
  constructor(write: (bytes: Uint8Array) => number, nowMs: () => number, onFull: () => void = () => {}) {
    this.#write = write;
    this.#nowMs = nowMs;
    this.#onFull = onFull;
  }

  /** Null while nothing was ever dropped. */
  get drops(): LogDrops | null {
    if (this.#bytes === 0) return null;
    const isDropping = this.isFull || this.#nowMs() - this.#droppedAtMs < HOLD_MS;
    return { lines: this.#lines, bytes: this.#bytes, isDropping, code: this.#code };
  }

  /** Whether a write may be tried now. Where there was no room, first tells the file what is missing in it. */
  isOpen(): boolean {
    return !this.isFull || this.catchUp();
  }

  /** Tries to write the note of what was dropped; true when the file takes output again. */
  catchUp(isLastTry = false): boolean {
    if (!this.isFull) return true;
    const now = this.#nowMs();
    if (!isLastTry && now - this.#triedAtMs < RETRY_MS) return false;
    this.#triedAtMs = now;
    while (this.#owed !== null || this.#bytes > this.#toldBytes) {
      this.#owed = this.#writeOn(this.#owed ?? this.#note());
      if (this.#owed !== null) return false;
    }
    this.isFull = false;
    return true;
  }

  /** Whether this error of a write is one that output must survive; if so the file counts as full from now on. */
  absorbs(error: unknown): boolean {
    const code = (error as NodeJS.ErrnoException | null)?.code;
    if (code === undefined || !ABSORBED.has(code)) return false;
    this.#code = code;
    this.isFull = true;
    this.#triedAtMs = this.#nowMs();
    this.#onFull();
    return true;
  }

  drop(all: Uint8Array): void {
    let bytes = all;
    // The text of the line is in the file: its end is owed, and nothing is missing of it.
    if (bytes[0] === NEWLINE && this.lastByte !== NEWLINE && this.#owed === null && this.#bytes === this.#toldBytes) {
      this.#owed = bytes.subarray(0, 1).slice();
      bytes = bytes.subarray(1);
    }
    if (bytes.length === 0) return;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) this.#lines += 1;
    this.#bytes += bytes.length;
    this.#droppedAtMs = this.#nowMs();
  }

  /** The file took only a part, and this is what is left: writes it, or drops what finds no room either. */
  finish(rest: Uint8Array): void {
    const left = this.#writeOn(rest);
    if (left !== null) this.drop(left);
  }

  /** Writes until all is taken, or returns what found no room. */
  #writeOn(bytes: Uint8Array): Uint8Array | null {
    let rest = bytes;
    while (rest.length > 0) {
      try {
        const written = this.#write(rest);
        this.lastByte = rest[written - 1] ?? this.lastByte;
        rest = rest.subarray(written);
      } catch (error) {
        if (!this.absorbs(error)) throw error;
        return rest;
      }
    }
    return null;
  }

  #note(): Uint8Array {
    const lines = this.#lines - this.#toldLines;
    const bytes = this.#bytes - this.#toldBytes;
    this.#toldLines = this.#lines;
    this.#toldBytes = this.#bytes;
    const begin = this.lastByte === NEWLINE ? '' : '\n';
    const count = lines === 1 ? '1 line' : `${lines} lines`;
    return Buffer.from(`${begin}drover: ${count} (${bytes} bytes) of output were dropped here (${this.#code})\n`);
  }
}
