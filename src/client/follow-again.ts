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
/** Of the lines that may be read again, the last so many are known. */
const MOST_REMEMBERED = 50_000;

interface ToldLine {
  /** As it was last told: a line that the index did not know yet has a later time when it is read again. */
  atMs: number;
  readonly source: Source;
  readonly line: string;
}

/** One stream of one worker. */
interface Source {
  /** Of its last line, and of what was the last one at the cut. */
  lastMs: number;
  cutMs: number;
  /** Since the cut a line was met that had been told, or is news: whatever follows and is not known is news. */
  isFound: boolean;
  /** What may come again, by its text, the oldest at the end. */
  again: Map<string, ToldLine[]>;
}

/**
 * Which lines of a log were told already: after a cut it is read again from a little before. What a worker prints to one
 * stream keeps its order, so whatever comes there before the first line that is known is older than what was asked for.
 * Equal lines are told apart by their times, which never become earlier by being read again.
 */
export class LineMemory {
  #lines: ToldLine[] = [];
  #firstMs: number | null = null;
  #lastMs = 0;
  /** By worker and stream. */
  readonly #sources = new Map<string, Source>();
  /** What has a later time is news: a line that was told has none beyond the moment at which it is read again. */
  #againUntilMs = -Infinity;

  /** From when on it is to be read again, asked for at `wallMs`; null: nothing was told yet. */
  cut(wallMs: number): number | null {
    if (this.#firstMs === null) return null;
    const sinceMs = Math.max(0, this.#lastMs - LOOK_BACK_MS);
    // The daemon may still be starting, and dates what its index does not know when it first looks.
    this.#againUntilMs = Math.max(wallMs, this.#lastMs) + PATIENCE_MS;
    for (const source of this.#sources.values())
      Object.assign(source, { cutMs: source.lastMs, isFound: false, again: new Map() });
    for (const told of this.#lines.toReversed()) {
      // It does not come again, and would be taken for an equal line that is news.
      if (told.atMs < sinceMs) continue;
      const { source, line } = told;
      const equal = source.again.get(line);
      if (equal === undefined) source.again.set(line, [told]);
      else equal.push(told);
    }
    return sinceMs;
  }

  isNews({ at, worker, stream, line }: LogLineDocument): boolean {
    const atMs = Date.parse(at);
    const name = `${worker} ${stream}`;
    const source = this.#sources.get(name);
    if (atMs <= this.#againUntilMs && this.#isTold(source, line, atMs)) return false;
    this.#remember(atMs, line, source ?? this.#add(name));
    return true;
  }

  #isTold(source: Source | undefined, line: string, atMs: number): boolean {
    if (source === undefined) return this.#firstMs !== null && atMs <= this.#firstMs;
    const { cutMs, again } = source;
    const equal = again.get(line);
    const first = equal?.at(-1);
    if (first !== undefined && first.atMs <= atMs) {
      equal?.pop();
      first.atMs = atMs;
      source.isFound = true;
      return true;
    }
    // All that was there before the last line that was told had been told, also what was told a little before `sinceMs`.
    if (equal !== undefined && atMs < cutMs) return true;
    return !source.isFound && atMs <= cutMs;
  }

  #add(name: string): Source {
    const source: Source = { lastMs: 0, cutMs: 0, isFound: true, again: new Map() };
    this.#sources.set(name, source);
    return source;
  }

  #remember(atMs: number, line: string, source: Source): void {
    this.#firstMs ??= atMs;
    this.#lastMs = Math.max(this.#lastMs, atMs);
    source.lastMs = atMs;
    source.isFound = true;
    this.#lines.push({ atMs, source, line });
    if (this.#lines.length > 2 * MOST_REMEMBERED || (this.#lines[0]?.atMs ?? 0) < this.#lastMs - 2 * LOOK_BACK_MS) {
      const from = this.#lastMs - LOOK_BACK_MS;
      this.#lines = this.#lines.slice(-MOST_REMEMBERED).filter((each) => each.atMs >= from);
    }
  }
}
