/**
 * One log file being read: how far, and in which part of it the next round reads. Files are opened for a round and only
 * when it is their turn, so a history of many generations holds few descriptors and buffers.
 */
import { splitLines } from './line-splitter.ts';
import type { LineSplitter, RawLine } from './line-splitter.ts';
import type { LogFile } from './log-file.ts';
import { openLogReader } from './log-reader.ts';
import type { LogReader, LogState } from './log-reader.ts';
import { openTimeIndex } from './time-index.ts';
import type { TimeIndex } from './time-index.ts';

export const CHUNK_BYTES = 64 * 1024;

/** Told of every read, so that a test can hold the reader to reading little. */
export type OnRead = (bytes: number) => void;

export interface LogSource {
  readonly file: LogFile;
  /** Bytes below this have been given to the splitter. */
  position: number;
  /** Where the next round ends. */
  end: number;
  /** Time of the last write: that of lines which the index does not know yet. */
  modifiedMs: number;
  splitter: LineSplitter;
}

export interface TimedLine {
  readonly atMs: number;
  readonly text: string;
}

export function openSource(file: LogFile, position: number, end: number, modifiedMs: number): LogSource {
  return { file, position, end, modifiedMs, splitter: splitLines(position) };
}

/** Forgets what was read: the file was emptied and begins anew, or what comes next was removed and `base` is left. */
export function restartSource(source: LogSource, base: number): void {
  source.position = base;
  source.splitter = splitLines(base);
}

/** When what is held of an unfinished line was written. */
export function flushSource(source: LogSource): TimedLine[] {
  const line = source.splitter.flush();
  if (line === null) return [];
  const index = openTimeIndex(source.file.indexPath);
  try {
    return [{ atMs: index.timeOf(line.offset) ?? source.modifiedMs, text: line.text }];
  } finally {
    index.close();
  }
}

/** The lines of one source in one round, in the order of the file. */
export interface Run {
  readonly source: LogSource;
  /** Time of its next line, or earlier; infinite once there is none. */
  headMs(): number;
  /** Its next lines that are not younger than `limitMs`; empty where there are none (any more, or yet). */
  take(limitMs: number): TimedLine[];
  /** Reads more, where all that was read has been taken. */
  fill(): Promise<void>;
  close(): Promise<void>;
}

/** `flushesAtEnd`: an unfinished line at the end counts as a line. */
export function openRun(source: LogSource, flushesAtEnd: boolean, onRead: OnRead): Run {
  let index: TimeIndex | null = null;
  let handle: LogReader | null = null;
  let chunk: Buffer | null = null;
  let lines: readonly RawLine[] = [];
  let next = 0;
  let isFinished = source.position >= source.end;
  const timeOf = (offset: number): number => {
    index ??= openTimeIndex(source.file.indexPath);
    return index.timeOf(offset) ?? source.modifiedMs;
  };
  const closeIndex = (): void => {
    index?.close();
    index = null;
  };
  const finish = (): void => {
    isFinished = true;
    const last = flushesAtEnd ? source.splitter.flush() : null;
    if (last !== null) lines = [...lines, last];
  };
  return {
    source,
    headMs() {
      const line = lines[next];
      if (line !== undefined) return timeOf(line.offset);
      if (isFinished) return Infinity;
      const ms = timeOf(source.splitter.lineStart);
      // Its turn may come much later: until then it holds nothing.
      if (handle === null) closeIndex();
      return ms;
    },
    take(limitMs) {
      const taken: TimedLine[] = [];
      for (let line = lines[next]; line !== undefined; line = lines[next]) {
        const atMs = timeOf(line.offset);
        if (atMs > limitMs) break;
        taken.push({ atMs, text: line.text });
        next += 1;
      }
      return taken;
    },
    async fill() {
      if (isFinished || next < lines.length) return;
      handle ??= await openLogReader(source.file);
      chunk ??= Buffer.allocUnsafe(CHUNK_BYTES);
      const wanted = Math.min(chunk.length, source.end - source.position);
      const bytesRead = handle === null ? 0 : (await handle.read(chunk, 0, wanted, source.position)).bytesRead;
      onRead(bytesRead);
      source.position += bytesRead;
      lines = source.splitter.push(chunk.subarray(0, bytesRead));
      next = 0;
      // Shorter than it was: emptied or removed while we read.
      if (bytesRead === 0 || source.position >= source.end) finish();
    },
    async close() {
      closeIndex();
      await handle?.close();
      handle = null;
    },
  };
}

/** The part of a file whose lines were written from `sinceMs` to `untilMs`; it need not begin at a line's start. */
export function timeRange(
  index: TimeIndex,
  { size, modifiedMs, base }: LogState,
  sinceMs: number,
  untilMs: number,
): { readonly start: number; readonly end: number } {
  const indexed = index.last()?.offset ?? 0;
  // Beyond the index, all lines carry the time of the last write.
  const firstFrom = (timeMs: number): number => index.offsetOf(timeMs) ?? (modifiedMs >= timeMs ? indexed : size);
  const within = (offset: number): number => Math.min(size, Math.max(base, offset));
  return { start: within(firstFrom(sinceMs)), end: within(firstFrom(untilMs + 1)) };
}
