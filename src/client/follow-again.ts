/**
 * Streams that outlive the daemon that began them: it is brought back when it dies, and becomes another version when it
 * is upgraded, and who follows logs or events goes on where it was.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { LogLineDocument } from '../protocol/index.ts';
import { isGone, PATIENCE_MS } from './daemon-return.ts';

const PAUSE_MS = 50;

interface Following<Document> {
  /** `isAgain`: after a cut. What is not news is left out by `isNews`. */
  readonly open: (isAgain: boolean) => Promise<IncomingMessage>;
  readonly read: (response: IncomingMessage) => AsyncIterable<Document>;
  readonly isNews: (document: Document) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** Throws at once where nobody answers at the beginning; after a cut it tries again for a while. */
export const followAgain = async function* <Document>({
  open,
  read,
  isNews,
  signal,
}: Following<Document>): AsyncGenerator<Document> {
  let response = await open(false);
  for (;;) {
    try {
      for await (const document of read(response)) if (isNews(document)) yield document;
      return;
    } catch (error) {
      if (!isGone(error) || signal?.aborted) throw error;
    }
    response = await openAgain(open, signal);
  }
};

const openAgain = async (
  open: (isAgain: boolean) => Promise<IncomingMessage>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;)
    try {
      return await open(true);
    } catch (error) {
      if (!isGone(error) || signal?.aborted || performance.now() > deadline) throw error;
      await wait(PAUSE_MS, undefined, signal === undefined ? {} : { signal });
    }
};

/** Lines of several workers come a little out of order, and what was told of a moment may not be all of it. */
const LOOK_BACK_MS = 2_000;
/** So long a line is known again, and so many of them: times of lines are exact to a tenth of a second. */
const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 50_000;

interface Told {
  /** Of its last line. */
  lastMs: number;
  /** After a cut: a line was met that had been told, so that what follows and is not known is news. */
  isFound: boolean;
}

/**
 * Which lines of a log were told already: after a cut it is read again from a little before. What a worker prints to one
 * stream keeps its order, so whatever comes there before the first line that is known is older than what was asked for.
 */
export class LineMemory {
  #lines: { readonly atMs: number; readonly key: string }[] = [];
  #firstMs: number | null = null;
  #lastMs = 0;
  /** By worker and stream. */
  readonly #told = new Map<string, Told>();
  /** Lines that may come again, with how often they were told; empty as long as nothing was cut. */
  #again = new Map<string, number>();
  #wasCut = false;

  /** From when on it is to be read again; null: nothing was told yet. */
  cut(): number | null {
    this.#wasCut = true;
    this.#again = new Map();
    for (const { key } of this.#lines) this.#again.set(key, (this.#again.get(key) ?? 0) + 1);
    for (const told of this.#told.values()) told.isFound = false;
    return this.#firstMs === null ? null : Math.max(0, this.#lastMs - LOOK_BACK_MS);
  }

  isNews({ at, worker, stream, line }: LogLineDocument): boolean {
    const atMs = Date.parse(at);
    const source = `${worker} ${stream}`;
    const key = `${source} ${line}`;
    const told = this.#told.get(source);
    const count = this.#again.get(key) ?? 0;
    if (count > 0) {
      this.#again.set(key, count - 1);
      if (told !== undefined) told.isFound = true;
      return false;
    }
    if (this.#wasCut && this.#isOld(told, atMs)) return false;
    this.#remember(atMs, key, source);
    return true;
  }

  #isOld(told: Told | undefined, atMs: number): boolean {
    if (told === undefined) return this.#firstMs !== null && atMs <= this.#firstMs;
    return !told.isFound && atMs <= told.lastMs;
  }

  #remember(atMs: number, key: string, source: string): void {
    this.#firstMs ??= atMs;
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#told.set(source, { lastMs: atMs, isFound: this.#told.get(source)?.isFound ?? true });
    this.#lines.push({ atMs, key });
    if (this.#lines.length > 2 * MOST_REMEMBERED || (this.#lines[0]?.atMs ?? 0) < this.#lastMs - 2 * REMEMBERED_MS) {
      const from = this.#lastMs - REMEMBERED_MS;
      this.#lines = this.#lines.slice(-MOST_REMEMBERED).filter((each) => each.atMs >= from);
    }
  }
}
