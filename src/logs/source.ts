/**
 * One log file being read: how far, and in which part of it the next round reads. Files are opened for a round and only
 * when it is their turn, so a history of many generations holds few descriptors and buffers.
 */
import { openChunk } from './chunk-pool.ts';
import { groupLines } from './group-lines.ts';
import type { LineGrouper } from './group-lines.ts';
import { splitLines } from './line-splitter.ts';
import type { LineSplitter, RawLine } from './line-splitter.ts';
import type { LogFile } from './log-file.ts';
import { openLogReader } from './log-reader.ts';
import type { LogReader, LogState } from './log-reader.ts';
import { openTimeIndex } from './time-index.ts';
import type { TimeIndex } from './time-index.ts';

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
  grouper: LineGrouper;
  /** Following: the lines of a record that may go on, read and not given out yet. */
  held: readonly GroupedLine[];
}

interface GroupedLine extends RawLine {
  /** It continues the record of the line before it. */
  readonly joins: boolean;
}

/** A line with the time of its record: that of the record's first line. */
export interface TimedLine {
  readonly atMs: number;
  readonly text: string;
  readonly joins: boolean;
}

export function openSource(file: LogFile, position: number, end: number, modifiedMs: number): LogSource {
  return { file, position, end, modifiedMs, splitter: splitLines(position), grouper: groupLines(), held: [] };
}

/** Forgets what was read: the file was emptied and begins anew, or what comes next was removed and `base` is left. */
export function restartSource(source: LogSource, base: number): void {
  source.position = base;
  source.splitter = splitLines(base);
  // What was read of it before goes out with what comes, or by itself.
  source.grouper = groupLines();
}

/** Whether something was read that was not given out: of an unfinished line, or of a record that may go on. */
export const hasRest = ({ splitter, held }: LogSource): boolean => splitter.isMidLine || held.length > 0;

/** Gives that out; what comes later begins a record of its own. */
export function flushSource(source: LogSource): TimedLine[] {
  const { held, grouper, splitter } = source;
  const line = splitter.flush();
  const lines = line === null ? held : [...held, { ...line, joins: grouper.joins(line.text) }];
  source.held = [];
  source.grouper = groupLines();
  const index = openTimeIndex(source.file.indexPath);
  let atMs = 0;
  try {
    return lines.map(({ offset, text, joins }, at) => {
      if (!joins || at === 0) atMs = index.timeOf(offset) ?? source.modifiedMs;
      return { atMs, text, joins };
    });
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

/**
 * Gives out whole records, so that nothing comes between the lines of one. `flushesAtEnd`: an unfinished line at the
 * end counts as a line, and the last record as complete; else the source keeps them where more may come.
 */
export function openRun(source: LogSource, flushesAtEnd: boolean, onRead: OnRead): Run {
  let index: TimeIndex | null = null;
  let handle: LogReader | null = null;
  const chunk = openChunk();
  let lines: readonly GroupedLine[] = source.held;
  let next = 0;
  /** Lines below this belong to records that are complete. */
  let sealed = 0;
  let recordMs = 0;
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
    if (last !== null) lines = [...lines, grouped(last)];
    if (flushesAtEnd || !source.grouper.mayGoOn) sealed = lines.length;
    source.held = lines.slice(sealed);
  };
  const grouped = (line: RawLine): GroupedLine => ({
    offset: line.offset,
    text: line.text,
    joins: source.grouper.joins(line.text),
  });
  return {
    source,
    headMs() {
      const line = lines[next];
      if (isFinished && next >= sealed) return Infinity;
      if (line !== undefined) return timeOf(line.offset);
      const ms = timeOf(source.splitter.lineStart);
      // Its turn may come much later: until then it holds nothing.
      if (handle === null) closeIndex();
      return ms;
    },
    take(limitMs) {
      const taken: TimedLine[] = [];
      for (let line = lines[next]; line !== undefined && next < sealed; line = lines[next]) {
        if (!line.joins || next === 0) recordMs = timeOf(line.offset);
        if (recordMs > limitMs) break;
        taken.push({ atMs: recordMs, text: line.text, joins: line.joins });
        next += 1;
      }
      return taken;
    },
    async fill() {
      if (isFinished || next < sealed) return;
      handle ??= await openLogReader(source.file);
      const opened = handle;
      const bytesRead = await chunk.use(async (block) => {
        const wanted = Math.min(block.length, source.end - source.position);
        const read = opened === null ? 0 : (await opened.read(block, 0, wanted, source.position)).bytesRead;
        onRead(read);
        source.position += read;
        lines = lines.slice(next).concat(source.splitter.push(block.subarray(0, read)).map(grouped));
        return read;
      });
      next = 0;
      sealed = Math.max(
        0,
        lines.findLastIndex(({ joins }) => !joins),
      );
      // Shorter than it was: emptied or removed while we read.
      if (bytesRead === 0 || source.position >= source.end) finish();
    },
    async close() {
      closeIndex();
      chunk.close();
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
