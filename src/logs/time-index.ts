/**
 * The time index of one log file: entries of 12 bytes, (wall-clock milliseconds, size of the file), 6 bytes each, least
 * significant first, appended while the file grows. An entry says: everything below this offset had been written by
 * this time. So a line carries the time of the first entry beyond its first byte; after a gap (the daemon was away)
 * that is the latest time it can have been written.
 *
 * Entries about lines that were removed may have been freed in place: they read as zeros, the oldest of all entries.
 * It is an aid: without it, or with a damaged one, lines still come out whole and in the order of their file.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

export interface TimeEntry {
  readonly timeMs: number;
  readonly offset: number;
}

const FIELD_BYTES = 6;
export const ENTRY_BYTES = 2 * FIELD_BYTES;
const PAGE_ENTRIES = 256;

/** Adds an entry. A half-written one (a full disk, a kill) is cut off first, or all later ones would be misread. */
export function appendTimeEntry(path: string, { timeMs, offset }: TimeEntry): void {
  const entry = Buffer.allocUnsafe(ENTRY_BYTES);
  entry.writeUIntLE(timeMs, 0, FIELD_BYTES);
  entry.writeUIntLE(offset, FIELD_BYTES, FIELD_BYTES);
  const fd = openSync(path, 'a', 0o600);
  try {
    const torn = fstatSync(fd).size % ENTRY_BYTES;
    if (torn !== 0) ftruncateSync(fd, fstatSync(fd).size - torn);
    writeSync(fd, entry);
  } finally {
    closeSync(fd);
  }
}

export interface TimeIndex {
  /** When the line that begins at `offset` had been written, at the latest; undefined beyond the last entry. */
  timeOf(offset: number): number | undefined;
  /** Lines that begin below the answer are older than `timeMs`; undefined where that is true of all entries. */
  offsetOf(timeMs: number): number | undefined;
  /** How many entries are about nothing but what is below `offset`. */
  entriesBelow(offset: number): number;
  /** The newest entry. */
  last(): TimeEntry | undefined;
  close(): void;
}

const EMPTY: TimeIndex = {
  timeOf: () => undefined,
  offsetOf: () => undefined,
  entriesBelow: () => 0,
  last: () => undefined,
  close: () => undefined,
};

export function openTimeIndex(path: string): TimeIndex {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return EMPTY; // No index yet, or not for us: the times are coarser, nothing is lost.
  }
  const count = Math.floor(fstatSync(fd).size / ENTRY_BYTES);
  const page = Buffer.alloc(PAGE_ENTRIES * ENTRY_BYTES);
  let loaded = -1;

  const field = (index: number, byte: number): number => {
    const wanted = Math.floor(index / PAGE_ENTRIES);
    if (wanted !== loaded) {
      readSync(fd, page, 0, page.length, wanted * page.length);
      loaded = wanted;
    }
    return page.readUIntLE((index % PAGE_ENTRIES) * ENTRY_BYTES + byte, FIELD_BYTES);
  };
  const timeAt = (index: number): number => field(index, 0);
  const offsetAt = (index: number): number => field(index, FIELD_BYTES);
  // Readers ask for one line after the other: the interval of the last answer nearly always holds the next.
  let from = 0;
  let until = 0;
  let time = 0;

  return {
    timeOf(offset) {
      if (offset >= from && offset < until) return time;
      const index = firstWhere(count, (i) => offsetAt(i) > offset);
      if (index === count) return undefined;
      from = index === 0 ? 0 : offsetAt(index - 1);
      until = offsetAt(index);
      time = timeAt(index);
      return time;
    },
    // A wall clock that was set back leaves times out of order; the answer is then one of the possible ones.
    offsetOf(timeMs) {
      const index = firstWhere(count, (i) => timeAt(i) >= timeMs);
      if (index === count) return undefined;
      return index === 0 ? 0 : offsetAt(index - 1);
    },
    entriesBelow: (offset) => firstWhere(count, (i) => offsetAt(i) > offset),
    last: () => (count === 0 ? undefined : { timeMs: timeAt(count - 1), offset: offsetAt(count - 1) }),
    close: () => closeSync(fd),
  };
}

/** The first index below `count` for which `holds`, which must hold for all after it; `count` where there is none. */
function firstWhere(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
