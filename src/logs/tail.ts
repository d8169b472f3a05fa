/**
 * Finds places in a log file from its end or around an offset, reading no more than it must: `--lines 100` of a file
 * of gigabytes reads its last blocks.
 */
import type { ArchivedFile } from './archive-name.ts';
import { groupLines, intoRecords } from './group-lines.ts';
import { LINE_LIMIT_BYTES, splitLines } from './line-splitter.ts';
import type { RawLine } from './line-splitter.ts';
import { openLogReader } from './log-reader.ts';
import type { RecordText } from './record-filter.ts';
import { CHUNK_BYTES, openChunk } from './chunk-pool.ts';
import type { OnRead } from './source.ts';

const NEWLINE = 0x0a;

/** How far back from a place the beginning of its record is looked for. */
const LOOK_BACK_BYTES = CHUNK_BYTES + 4_096;

export interface Tail {
  /** Where the first of the lines begins: the start of a record. */
  readonly offset: number;
  /** Lines from there on (that belong to records that pass). */
  readonly count: number;
}

/** For each record, whether it passes. */
export type RecordTest = (records: readonly RecordText[]) => Promise<readonly boolean[]>;

export interface LineFinder {
  /** The first start of a line at or after `offset`; `limit` where there is none below it. */
  lineStart(offset: number, limit: number): Promise<number>;
  /** The first start of a record at or after `offset`; `limit` where there is none below it. */
  recordStart(offset: number, limit: number): Promise<number>;
  /** Where the last complete line before `end` ends; `end` where the unfinished one is longer than a line may be. */
  lastLineEnd(start: number, end: number): Promise<number>;
  /**
   * The last `lines` lines of the records (that `test` lets pass) in `start..end`, and the rest of the record in which
   * they begin; `start` begins a record. Stops where `signal` is aborted; the answer means nothing then.
   */
  tail(start: number, end: number, lines: number, test: RecordTest | null, signal: AbortSignal): Promise<Tail>;
  close(): Promise<void>;
}

/** Null where the file has been removed. */
export async function openLineFinder(file: ArchivedFile, onRead: OnRead): Promise<LineFinder | null> {
  const handle = await openLogReader(file);
  if (handle === null) return null;
  const chunk = openChunk();
  /** Valid until the next one, or until this is closed. */
  const read = async (from: number, to: number): Promise<Buffer> =>
    chunk.use(async (block) => {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, to - from), from);
      onRead(bytesRead);
      return block.subarray(0, bytesRead);
    });

  /** Calls `visit` with the positions of line ends in `start..end`, from the last to the first, until it says true. */
  const lineEndsBackwards = async (start: number, end: number, visit: (position: number) => boolean): Promise<void> => {
    for (let to = end; to > start;) {
      const from = Math.max(start, to - CHUNK_BYTES);
      const bytes = await read(from, to);
      let at = bytes.lastIndexOf(NEWLINE);
      while (at !== -1) {
        if (visit(from + at)) return;
        at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
      }
      to = from;
    }
  };

  const lineStart: LineFinder['lineStart'] = async (offset, limit) => {
    if (offset <= handle.base) return handle.base;
    for (let from = offset - 1; from < limit;) {
      const bytes = await read(from, limit);
      if (bytes.length === 0) break;
      const at = bytes.indexOf(NEWLINE);
      if (at !== -1) return Math.min(limit, from + at + 1);
      from += bytes.length;
    }
    return limit;
  };

  /** The lines from `from` (the start of one, not of a record where `isWithin`) on, until `visit` says true. */
  const linesFrom = async (
    from: number,
    to: number,
    isWithin: boolean,
    visit: (line: RawLine, joins: boolean) => boolean,
  ): Promise<void> => {
    const splitter = splitLines(from);
    const grouper = groupLines(isWithin);
    const take = (line: RawLine): boolean => visit(line, grouper.joins(line.text));
    for (let at = from; at < to;) {
      const bytes = await read(at, to);
      if (bytes.length === 0) break;
      at += bytes.length;
      if (splitter.push(bytes).some(take)) return;
    }
    const last = splitter.flush();
    if (last !== null) take(last);
  };

  /** Where to begin to read so as to know what belongs together at `offset`, which then lies at or after it. */
  const lookBack = async (offset: number, floor: number): Promise<number> =>
    offset - floor <= LOOK_BACK_BYTES ? floor : lineStart(offset - LOOK_BACK_BYTES, offset);

  const recordStart: LineFinder['recordStart'] = async (offset, limit) => {
    // What was before it is gone: a rest of a record there counts as one.
    const { base } = handle;
    if (offset <= base) return base;
    if (offset >= limit) return limit;
    let from = await lookBack(offset, base);
    // One line fills all of that.
    if (from === offset) from = await lineStart(offset, limit);
    let answer = limit;
    await linesFrom(from, limit, from > base, (line, joins) => {
      if (joins || line.offset < offset) return false;
      answer = line.offset;
      return true;
    });
    return answer;
  };

  /** The record that the line at `offset` belongs to: where it begins, and how many of its lines come before. */
  const recordAround = async (start: number, offset: number, end: number): Promise<Tail> => {
    const found = { offset, count: 0 };
    let [head, before] = [-1, 0];
    const from = await lookBack(offset, start);
    await linesFrom(from, end, from > start, (line, joins) => {
      if (line.offset >= offset) {
        if (joins && head !== -1) Object.assign(found, { offset: head, count: before });
        return true;
      }
      // Of a record that begins before what was looked at, that is the beginning.
      [head, before] = joins && head !== -1 ? [head, before + 1] : [line.offset, 1];
      return false;
    });
    return found;
  };

  const tailOfAll = async (start: number, end: number, lines: number, signal: AbortSignal): Promise<Tail> => {
    let count = 0;
    let offset = end;
    // The line end at the very end begins no line.
    await lineEndsBackwards(start, end - 1, (position) => {
      count += 1;
      offset = position + 1;
      return count === lines || signal.aborted;
    });
    if (count < lines) return { offset: start, count: count + 1 };
    const record = await recordAround(start, offset, end);
    return { offset: record.offset, count: count + record.count };
  };

  const tailOfPassing = async (
    start: number,
    end: number,
    lines: number,
    test: RecordTest,
    signal: AbortSignal,
  ): Promise<Tail> => {
    let count = 0;
    let offset = end;
    let span = 4 * CHUNK_BYTES;
    for (let to = end; to > start && count < lines && !signal.aborted;) {
      const from = Math.max(start, to - span);
      const first = from === start ? start : await recordStart(from, to);
      if (first >= to) {
        span *= 2; // One record fills all of it.
        continue;
      }
      for (const record of (await passingIn(first, to, test)).toReversed()) {
        if (count >= lines) break;
        offset = record.offset;
        count += record.count;
      }
      to = first;
    }
    return { offset, count };
  };

  /** The records in `start..end` that pass, each with its number of lines; both are starts of records, or the end. */
  const passingIn = async (start: number, end: number, test: RecordTest): Promise<Tail[]> => {
    const lines: { readonly offset: number; readonly text: string; readonly joins: boolean }[] = [];
    await linesFrom(start, end, false, (line, joins) => {
      lines.push({ ...line, joins });
      return false;
    });
    const records = intoRecords(lines);
    const passes = await test(records);
    return records
      .filter((_, index) => passes[index] === true)
      .map((record) => ({ offset: record[0]?.offset ?? start, count: record.length }));
  };

  return {
    lineStart,
    recordStart,
    async lastLineEnd(start, end) {
      let answer = -1;
      await lineEndsBackwards(Math.max(start, end - LINE_LIMIT_BYTES), end, (position) => {
        answer = position + 1;
        return true;
      });
      if (answer !== -1) return answer;
      return end - start > LINE_LIMIT_BYTES ? end : start;
    },
    async tail(start, end, lines, test, signal) {
      if (start >= end || lines <= 0) return { offset: end, count: 0 };
      return test === null ? tailOfAll(start, end, lines, signal) : tailOfPassing(start, end, lines, test, signal);
    },
    async close() {
      chunk.close();
      await handle.close();
    },
  };
}
