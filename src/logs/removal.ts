/**
 * Removes the oldest part of a file's output: archives, and where they do not reach, bytes of the file itself. First one
 * step says what is gone (a mark), then it is freed; whoever dies in between has removed it, and the space follows.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markPath, readShelf } from './archive-name.ts';
import type { ArchivedFile } from './archive-name.ts';
import { forgetArchives, punchAll } from './rotation.ts';
import type { Punch, RotationStep } from './rotation.ts';
import { logState } from './log-reader.ts';
import { openLineFinder } from './tail.ts';
import { ENTRY_BYTES, openTimeIndex } from './time-index.ts';

export interface RemovalTools {
  readonly punch: Punch;
  readonly onStep: (step: RotationStep) => void;
  /** A file was emptied since it was decided what goes: offsets from before that mean nothing after it. */
  readonly isOutdated: () => boolean;
}

/**
 * Removes what is below `cut`: the end of an archive, or a whole number of blocks beyond the last one. Readers then
 * begin with the first line that is left whole. Comes to nothing where it is outdated.
 */
export async function removeBelow(
  file: ArchivedFile,
  cut: number,
  { punch, onStep, isOutdated }: RemovalTools,
): Promise<void> {
  if (isOutdated()) return;
  const base = await firstWholeLine(file, cut);
  // A mark of the earlier life would hide what was written since.
  if (isOutdated()) return;
  const { archives, archivedEnd } = readShelf(file);
  const going = archives.filter(({ end }) => end <= cut);
  const last = going.at(-1);
  const mark = markPath(file, cut, base);
  if (last !== undefined && last.end === cut) {
    // Needs no room on a disk that may be full.
    renameSync(last.path, mark);
    onStep('marked');
    truncateSync(mark);
  } else {
    mkdirSync(file.archiveDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(mark, '', { mode: 0o600 });
    onStep('marked');
  }
  for (const { path } of going) rmSync(path, { force: true });
  for (const name of readShelf(file).stale) rmSync(join(file.archiveDirectory, name), { force: true });
  if (cut > archivedEnd) await punchAll(file.path, { start: archivedEnd, end: cut }, punch, isOutdated);
  if (!isOutdated()) freeIndex(file, base, punch);
}

/** Removes all that there is of a file. */
export function removeFile(file: ArchivedFile): void {
  // The file first: its archives tell which part of it is freed.
  rmSync(file.path, { force: true });
  forgetArchives(file);
  if (file.indexPath !== null) rmSync(file.indexPath, { force: true });
}

/** Gives back the entries about lines that are gone. */
function freeIndex({ indexPath }: ArchivedFile, base: number, punch: Punch): void {
  if (indexPath === null) return;
  const index = openTimeIndex(indexPath);
  const entries = index.entriesBelow(base);
  index.close();
  if (entries === 0) return;
  const fd = openSync(indexPath, 'r+');
  try {
    punch(fd, 0, entries * ENTRY_BYTES);
  } finally {
    closeSync(fd);
  }
}

async function firstWholeLine(file: ArchivedFile, cut: number): Promise<number> {
  const state = logState(file);
  const finder = state === undefined ? null : await openLineFinder(file, () => {});
  if (state === undefined || finder === null) return cut;
  try {
    const start = await finder.lineStart(cut, state.size);
    // Nothing but the rest of one unfinished line is left: better its end than nothing of it.
    return start === state.size ? cut : start;
  } catch {
    // A damaged archive must not stay for ever: better the rest of a line than that.
    return cut;
  } finally {
    await finder.close();
  }
}
