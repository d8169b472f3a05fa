/**
 * Finds places in a log file from its end or around an offset, reading no more than it must: `--lines 100` of a file
 * of gigabytes reads its last blocks.
 */
import type { Grep } from './grep.ts';
import { LINE_LIMIT_BYTES, splitLines } from './line-splitter.ts';
import type { RawLine } from './line-splitter.ts';
import type { ArchivedFile } from './archive-name.ts';
import { openLogReader } from './log-reader.ts';
import type { LogReader } from './log-reader.ts';
import { CHUNK_BYTES } from './source.ts';
import type { OnRead } from './source.ts';

const NEWLINE = 0x0a;

export interface Tail {
  /** Where the first of the lines begins. */
  readonly offset: number;
  readonly count: number;
}

export interface LineFinder {
  /** The first start of a line at or after `offset`; `limit` where there is none below it. */
  lineStart(offset: number, limit: number): Promise<number>;
  /** Where the last complete line before `end` ends; `end` where the unfinished one is longer than a line may be. */
  lastLineEnd(start: number, end: number): Promise<number>;
  /** The last `lines` lines (that `grep` lets pass) of those that begin in `start..end`; `start` begins a line. */
  tail(start: number, end: number, lines: number, grep: Grep | null): Promise<Tail>;
  close(): Promise<void>;
}

/** Null where the file has been removed. */
export async function openLineFinder(file: ArchivedFile, onRead: OnRead): Promise<LineFinder | null> {
  const handle = await openLogReader(file);
  if (handle === null) return null;
  const block = Buffer.allocUnsafe(CHUNK_BYTES);
  const read = async (from: number, to: number): Promise<Buffer> => {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, to - from), from);
    onRead(bytesRead);
    return block.subarray(0, bytesRead);
  };

  /** Calls `visit` with the positions of line ends in `start..end`, from the last to the first, until it says true. */
  const lineEndsBackwards = async (start: number, end: number, visit: (position: number) => boolean): Promise<void> => {
    for (let to = end; to > start;) {
      const from = Math.max(start, to - block.length);
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

  const tailOfAll = async (start: number, end: number, lines: number): Promise<Tail> => {
    let count = 0;
    let offset = end;
    // The line end at the very end begins no line.
    await lineEndsBackwards(start, end - 1, (position) => {
      count += 1;
      offset = position + 1;
      return count === lines;
    });
    return count === lines ? { offset, count } : { offset: start, count: count + 1 };
  };

  const tailOfMatching = async (start: number, end: number, lines: number, grep: Grep): Promise<Tail> => {
    let count = 0;
    let offset = end;
    let span = 4 * CHUNK_BYTES;
    for (let to = end; to > start && count < lines;) {
      const from = Math.max(start, to - span);
      const first = from === start ? start : await lineStart(from, to);
      if (first >= to) {
        span *= 2; // One line fills all of it.
        continue;
      }
      const matching = await matchesIn(handle, first, to, grep, onRead);
      const wanted = matching.slice(-Math.min(matching.length, lines - count));
      offset = wanted[0] ?? offset;
      count += matching.length === 0 ? 0 : wanted.length;
      to = first;
    }
    return { offset, count };
  };

  return {
    lineStart,
    async lastLineEnd(start, end) {
      let answer = -1;
      await lineEndsBackwards(Math.max(start, end - LINE_LIMIT_BYTES), end, (position) => {
        answer = position + 1;
        return true;
      });
      if (answer !== -1) return answer;
      return end - start > LINE_LIMIT_BYTES ? end : start;
    },
    async tail(start, end, lines, grep) {
      if (start >= end || lines <= 0) return { offset: end, count: 0 };
      return grep === null ? tailOfAll(start, end, lines) : tailOfMatching(start, end, lines, grep);
    },
    close: () => handle.close(),
  };
}

/** Offsets of the lines in `start..end` that `grep` lets pass; both are starts of lines (or the end of the file). */
async function matchesIn(handle: LogReader, start: number, end: number, grep: Grep, onRead: OnRead): Promise<number[]> {
  const splitter = splitLines(start);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const offsets: number[] = [];
  const collect = async (lines: readonly RawLine[]): Promise<void> => {
    const passes = await grep.test(lines.map((line) => line.text));
    lines.forEach((line, index) => {
      if (passes[index] === true) offsets.push(line.offset);
    });
  };
  for (let from = start; from < end;) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, end - from), from);
    if (bytesRead === 0) break;
    onRead(bytesRead);
    await collect(splitter.push(chunk.subarray(0, bytesRead)));
    from += bytesRead;
  }
  const last = splitter.flush();
  if (last !== null) await collect([last]);
  return offsets;
}
