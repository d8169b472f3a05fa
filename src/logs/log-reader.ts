/**
 * A log file and its archives as one run of bytes: offsets are those of the file before anything was rotated out of it.
 * Rotation may go on meanwhile. It records an archive before it frees the bytes in the file, so bytes that were read
 * from the file are right unless an archive has them by now; and freed bytes read as zeros, so only bytes with a zero
 * among them are looked at again.
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { readShelf } from './archive-name.ts';
import type { ArchivedFile, Shelf } from './archive-name.ts';
import type { ArchiveReader } from './archive-reader.ts';

export interface LogState {
  readonly size: number;
  /** Time of the last write. */
  readonly modifiedMs: number;
  /** What is below was removed; a line begins here. */
  readonly base: number;
}

/** Undefined where neither the file nor an archive of it is left. */
export function logState(file: ArchivedFile, shelf: Shelf = readShelf(file)): LogState | undefined {
  const stat = statSync(file.path, { throwIfNoEntry: false });
  if (stat !== undefined) {
    // Shorter than what was rotated out of it: somebody emptied it, and it begins anew.
    const isRenewed = stat.size < shelf.archivedEnd;
    return { size: stat.size, modifiedMs: Math.round(stat.mtimeMs), base: isRenewed ? 0 : shelf.base };
  }
  const last = shelf.archives.at(-1);
  const archived = last === undefined ? undefined : statSync(last.path, { throwIfNoEntry: false });
  if (last === undefined || archived === undefined) return undefined;
  return { size: last.end, modifiedMs: Math.round(archived.mtimeMs), base: shelf.base };
}

export interface LogReader {
  readonly base: number;
  /** Fills `buffer` as far as there are bytes from `position` on, at most `length`. None where they are gone. */
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number; readonly buffer: Buffer }>;
  close(): Promise<void>;
}

/** Null where neither the file nor an archive of it is left. */
export async function openLogReader(file: ArchivedFile): Promise<LogReader | null> {
  const live = await openIfThere(file.path);
  let shelf = await currentShelf(file, live);
  if (live === null && shelf.archives.length === 0) return null;
  let archive: ArchiveReader | null = null;

  const archiveAt = async (position: number): Promise<ArchiveReader | null> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const wanted = shelf.archives.find(({ start, end }) => start <= position && position < end);
      if (wanted === undefined) return null;
      if (archive?.archive.path === wanted.path) return archive;
      await archive?.close();
      // Loaded when it is needed: most daemons never read an archive, and a decompressor takes memory.
      const { openArchive } = await import('./archive-reader.ts');
      archive = await openArchive(wanted);
      if (archive !== null) return archive;
      // Removed since we looked, as too old or too much.
      shelf = await currentShelf(file, live);
    }
    return null;
  };
  const readLive = async (buffer: Buffer, offset: number, length: number, position: number): Promise<number> => {
    if (live === null) return 0;
    const { bytesRead } = await live.read(buffer, offset, length, position);
    if (bytesRead === 0 || !buffer.subarray(offset, offset + bytesRead).includes(0)) return bytesRead;
    shelf = await currentShelf(file, live);
    return position < shelf.archivedEnd ? FREED : bytesRead;
  };
  const readSome = async (buffer: Buffer, offset: number, length: number, position: number): Promise<number> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (position < shelf.base) return 0;
      if (position >= shelf.archivedEnd) {
        const bytesRead = await readLive(buffer, offset, length, position);
        if (bytesRead === FREED) continue;
        return bytesRead;
      }
      const source = await archiveAt(position);
      if (source === null) return 0;
      const bytes = await source.bytesFrom(position);
      return bytes.copy(buffer, offset, 0, length);
    }
    return 0;
  };
  return {
    get base() {
      return shelf.base;
    },
    async read(buffer, offset, length, position) {
      let bytesRead = 0;
      while (bytesRead < length) {
        const count = await readSome(buffer, offset + bytesRead, length - bytesRead, position + bytesRead);
        if (count === 0) break;
        bytesRead += count;
      }
      return { bytesRead, buffer };
    },
    async close() {
      await archive?.close();
      archive = null;
      await live?.close();
    },
  };
}

/** Rotations that may overtake one read. */
const ATTEMPTS = 5;
const FREED = -1;

/** Without what is about a file that somebody emptied. */
async function currentShelf(file: ArchivedFile, live: FileHandle | null): Promise<Shelf> {
  const shelf = readShelf(file);
  if (live === null || (await live.stat()).size >= shelf.archivedEnd) return shelf;
  return { archives: [], base: 0, archivedEnd: 0, stale: [] };
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
