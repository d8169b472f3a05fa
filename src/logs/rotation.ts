/**
 * One rotation of one file, in steps that can be repeated: the range is *copied* into an archive beside its final name,
 * *synced* to disk, *recorded* by giving it that name, and then *punched* out of the file (or, where the file is
 * finished and nobody writes to it any more, the file is removed). Whoever dies in between has either recorded nothing,
 * and the bytes are in the file, or has recorded the archive, and readers take them from there: never twice, never not
 * at all. `recoverFile` does what was left undone.
 */
import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { archivePath, PART_SUFFIX, readShelf } from './archive-name.ts';
import type { ArchivedFile, ArchiveFormat, ArchiveRange, Shelf } from './archive-name.ts';
import type { Compress } from './compress.ts';
import { namesIn } from './log-file.ts';

export type RotationStep = 'copied' | 'synced' | 'recorded' | 'punched' | 'marked';

/** Frees a range of an open file; false where the file system cannot. */
export type Punch = (fd: number, offset: number, length: number) => boolean;

export interface RotationTools {
  readonly compress: Compress;
  readonly punch: Punch;
  /** Told after each step. */
  readonly onStep: (step: RotationStep) => void;
}

export interface RotationRequest {
  readonly file: ArchivedFile;
  readonly range: ArchiveRange;
  readonly format: ArchiveFormat;
  readonly niceness: number;
  /** Nobody writes to the file any more and the range is all that is left in it: it is removed, not punched. */
  readonly isWhole: boolean;
  /** The file was emptied since the rotation began: nothing of what was copied may be left. */
  readonly isOutdated: () => boolean;
  /** The daemon ends: what is recorded by now is for the next one to go on with. */
  readonly isCalledOff: () => boolean;
}

/** File systems give back whole blocks; no common one has larger ones. */
const FS_BLOCK_BYTES = 4096;
/** Freeing takes a tenth of a millisecond for each MiB in memory: other events get their turn in between. */
const SLICE_BYTES = 8 * 1024 * 1024;

export const alignDown = (bytes: number): number => bytes - (bytes % FS_BLOCK_BYTES);

/**
 * False where it came to nothing because the file was emptied meanwhile, or the daemon ends.
 *
 * Whoever empties a file (`flush` in `logs.ts`) first says so (`isOutdated`), then removes what it finds of its archives
 * (`forgetArchives`). All of that is one turn of the event loop, but a `rename` that was ordered before goes on beside it,
 * and may land after the names were listed, or between that and the removal of the `.part`: the archive then is one that
 * nobody has removed, of lines that are flushed, and hides what is written from then on below its end. So the one who
 * renamed looks again afterwards, and removes it. A file that is emptied later than that look has its archive found.
 */
export async function rotate(request: RotationRequest, tools: RotationTools): Promise<boolean> {
  const { file, range, format } = request;
  const final = archivePath(file, range, format);
  const part = final + PART_SUFFIX;
  await mkdir(file.archiveDirectory, { recursive: true, mode: 0o700 });
  // Left by a compressor whose daemon died: it writes into a file without a name from now on.
  await rm(part, { force: true });
  const before = endOf(file.path, range.end);
  try {
    const { niceness } = request;
    await tools.compress({ source: file.path, target: part, ...range, format, niceness }, tools.onStep);
    // Somebody else may have emptied the file, and its writer gone on, while it was copied.
    const isGone = request.isOutdated() || !endOf(file.path, range.end).equals(before);
    if (isGone || request.isCalledOff()) return false;
    await rename(part, final);
  } finally {
    await rm(part, { force: true });
  }
  if (request.isOutdated()) {
    rmSync(final, { force: true });
    return false;
  }
  await syncDirectory(file.archiveDirectory);
  tools.onStep('recorded');
  if (request.isOutdated() || request.isCalledOff()) return false;
  if (request.isWhole) rmSync(file.path, { force: true });
  else await punchAll(file.path, range, tools.punch, request.isOutdated);
  tools.onStep('punched');
  return true;
}

/**
 * Brings to an end what an earlier daemon, or a rotation that failed, left of a file; returns where the part begins that
 * is in no archive. Stops where the file is emptied meanwhile; the answer means nothing then.
 */
export async function recoverFile(file: ArchivedFile, punch: Punch, isOutdated: () => boolean): Promise<number> {
  const shelf = readShelf(file);
  for (const name of shelf.stale) rmSync(join(file.archiveDirectory, name), { force: true });
  const size = statSync(file.path, { throwIfNoEntry: false })?.size;
  if (size === undefined || shelf.archivedEnd === 0) return shelf.archivedEnd;
  if (size < shelf.archivedEnd || !(await isSameFile(file, shelf))) {
    if (!isOutdated()) forgetArchives(file);
    return 0;
  }
  // The daemon that recorded the last one may have come no further than its name.
  await syncDirectory(file.archiveDirectory);
  await punchAll(file.path, { start: 0, end: alignDown(shelf.archivedEnd) }, punch, isOutdated);
  return shelf.archivedEnd;
}

/** Removes unfinished copies and empties marks that are still the archive they were made of. For a whole directory. */
export function sweepDirectory(directory: string): void {
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    if (name.endsWith(PART_SUFFIX)) rmSync(path, { force: true });
    else if (name.endsWith('.gone') && statSync(path).size > 0) truncateSync(path);
  }
}

/**
 * Removes all archives of a file, which begins anew, and the `.part` of a rotation that is going on: its `rename` fails
 * then, unless it has been ordered already (see `rotate`).
 */
export function forgetArchives(file: ArchivedFile): void {
  const { archives } = readShelf(file);
  for (const { path } of archives) rmSync(path, { force: true });
  for (const name of namesIn(file.archiveDirectory))
    if (name.startsWith(`${file.stem}.`)) rmSync(join(file.archiveDirectory, name), { force: true });
}

/** Frees what was rotated out of a file, a slice at a time. */
export async function punchAll(
  path: string,
  { start, end }: ArchiveRange,
  punch: Punch,
  isOutdated: () => boolean,
): Promise<boolean> {
  const fd = openSync(path, 'r+');
  try {
    for (let at = start; at < end; at += SLICE_BYTES) {
      if (isOutdated() || fstatSync(fd).size < end) return false;
      if (!punch(fd, at, Math.min(SLICE_BYTES, end - at))) return false;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether the file still is the one that its archives were made of: what they hold is freed in it, or the same. It is
 * not where somebody emptied it while no daemon was looking, and its writer has gone on.
 */
async function isSameFile(file: ArchivedFile, shelf: Shelf): Promise<boolean> {
  const live = endOf(file.path, shelf.archivedEnd);
  if (live.every((byte) => byte === 0)) return true;
  const last = shelf.archives.at(-1);
  if (last === undefined) return false;
  const { openArchive } = await import('./archive-reader.ts');
  const reader = await openArchive(last);
  if (reader === null) return false;
  try {
    const from = Math.max(last.start, last.end - live.length);
    const archived = (await reader.bytesFrom(from)).subarray(0, last.end - from);
    const at = from - (shelf.archivedEnd - live.length);
    return archived.equals(live.subarray(at, at + archived.length));
  } finally {
    await reader.close();
  }
}

const SAMPLE_BYTES = 256;

/** The last bytes before `end`; fewer where the file is shorter. */
function endOf(path: string, end: number): Buffer {
  const sample = Buffer.alloc(Math.min(SAMPLE_BYTES, end));
  const fd = openSync(path, 'r');
  try {
    return sample.subarray(0, readSync(fd, sample, 0, sample.length, end - sample.length));
  } finally {
    closeSync(fd);
  }
}

/** A new name is only safe on disk with its directory. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
