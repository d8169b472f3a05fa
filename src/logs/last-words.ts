/**
 * What a worker printed last, for the event of its crash. Read at once and in one go (the ends of two files that were
 * just written to), because the worker's successor does not wait; bounded, because it is kept with the event. What was
 * archived already is left out.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { logFileOf } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { openTimeIndex } from './time-index.ts';

export const LAST_WORDS = { lines: 30, lineCharacters: 1_000, bytes: 8 * 1024 } as const;
/** Of the end of each file. */
const READ_BYTES = 16 * 1024;
const CUT = '… [cut]';
const NUL = 0;
const NEWLINE = 0x0a;

interface TimedText {
  readonly atMs: number;
  readonly text: string;
}

/** At most {@link LAST_WORDS}, oldest first, of both streams in the order of their times. Never throws. */
export function readLastWords(worker: {
  readonly home: string;
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
}): string[] {
  const { home, ...of } = worker;
  const ends = (['stdout', 'stderr'] as const).map((stream) => readEnd(logFileOf(home, { ...of, stream })));
  // Stable: of lines that the index cannot tell apart, those of stderr come last, and with them the stack.
  const merged = ends.flat().sort((a, b) => a.atMs - b.atMs);
  return withinBounds(merged.map(({ text }) => text));
}

function readEnd(file: LogFile): TimedText[] {
  let fd: number;
  try {
    fd = openSync(file.path, 'r');
  } catch {
    return []; // Never written, or removed.
  }
  try {
    const { size, mtimeMs } = fstatSync(fd);
    const from = Math.max(0, size - READ_BYTES);
    const bytes = Buffer.alloc(size - from);
    const whole = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
    return timed(file, whole, from, Math.round(mtimeMs));
  } catch {
    return []; // A failing disk: the event says what else is known.
  } finally {
    closeSync(fd);
  }
}

/** `bytes` begin at `offset` of the file, most likely within a line. */
function timed(file: LogFile, bytes: Buffer, offset: number, modifiedMs: number): TimedText[] {
  // The part before has been moved into an archive, and zeros are in its place.
  const archived = bytes.lastIndexOf(NUL) + 1;
  const rest = bytes.subarray(archived);
  const index = openTimeIndex(file.indexPath);
  const lines: TimedText[] = [];
  let atMs = 0;
  for (let at = 0; at < rest.length;) {
    const newline = rest.indexOf(NEWLINE, at);
    const end = newline === -1 ? rest.length : newline;
    // A clock that was set back must not change the order within the file.
    atMs = Math.max(atMs, index.timeOf(offset + archived + at) ?? modifiedMs);
    const text = rest.toString('utf8', at, end);
    if (at > 0 || offset + archived === 0) lines.push({ atMs, text: withoutRest(text) });
    // Archives end in mid-line: the rest is shown. Of a line longer than all that was read, its end; of any other torn
    // one nothing.
    else if (archived > 0 || end >= rest.length - 1) lines.push({ atMs, text: withoutBeginning(text) });
    at = end + 1;
  }
  index.close();
  return lines;
}

const withoutRest = (text: string): string =>
  text.length <= LAST_WORDS.lineCharacters
    ? text
    : `${text.slice(0, LAST_WORDS.lineCharacters - CUT.length).toWellFormed()}${CUT}`;

const withoutBeginning = (text: string): string =>
  `${CUT}${text.slice(CUT.length - LAST_WORDS.lineCharacters).toWellFormed()}`;

function withinBounds(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.slice(-LAST_WORDS.lines).toReversed()) {
    bytes += Buffer.byteLength(line);
    if (bytes > LAST_WORDS.bytes) break;
    kept.unshift(line);
  }
  return kept;
}
