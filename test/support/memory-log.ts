/**
 * The memory of processes that come and go, as the kernel tells it, four times a second. Who they are they say themselves,
 * each by a file of its pid in a folder (`test/fixtures/apps/leaks-by-request.cjs`); asks nobody who manages them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUnlessGone } from './processes.ts';

const EVERY_MS = 250;

/** One process. Times are milliseconds since the log began. */
export interface ProcessMemory {
  readonly pid: number;
  readonly seenAtMs: number;
  /** When it was gone; null: it is still there. */
  readonly goneAtMs: number | null;
  readonly firstRssBytes: number;
  readonly lastRssBytes: number;
  /** The kernel's own mark, which has what was between two looks in it. */
  readonly peakRssBytes: number;
  /** The most that V8's old generation ever held, garbage included. */
  readonly peakHeapBytes: number;
}

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

export class MemoryLog implements Disposable {
  readonly #folder: string;
  readonly #known = new Map<number, Writable<ProcessMemory>>();
  readonly #beganAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string) {
    this.#folder = folder;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  get processes(): readonly ProcessMemory[] {
    return [...this.#known.values()];
  }

  #look(): void {
    const atMs = Math.round(performance.now() - this.#beganAt);
    const pids = readUnlessGone(() => readdirSync(this.#folder), []).filter((name) => /^\d+$/.test(name));
    for (const pid of pids.map(Number)) {
      const known = this.#known.get(pid);
      // A pid may come again, and would be somebody else's.
      if (known !== undefined && known.goneAtMs !== null) continue;
      const status = readUnlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '');
      const read = (field: string): number =>
        Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
      const [rssBytes, peakRssBytes] = [read('VmRSS'), read('VmHWM')];
      // A zombie has a status, and no memory in it.
      if (rssBytes === 0) {
        if (known !== undefined) known.goneAtMs = atMs;
        continue;
      }
      const heapBytes = Number(readUnlessGone(() => readFileSync(join(this.#folder, String(pid)), 'utf8'), '0'));
      if (known === undefined) {
        this.#known.set(pid, {
          pid,
          seenAtMs: atMs,
          goneAtMs: null,
          firstRssBytes: rssBytes,
          lastRssBytes: rssBytes,
          peakRssBytes,
          peakHeapBytes: heapBytes,
        });
        continue;
      }
      known.lastRssBytes = rssBytes;
      known.peakRssBytes = Math.max(known.peakRssBytes, peakRssBytes);
      known.peakHeapBytes = Math.max(known.peakHeapBytes, heapBytes);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
