/**
 * Which files of workers that have ended are worth putting into an archive. Where parts of a file can be freed, all of
 * some size are, and the rest of their last block stays where it is: something that the worker left behind may still
 * write. Where they cannot, a file has to go as a whole: only one that has been quiet for long, and that no log shipper
 * has yet to read, which is neither of the two newest of its slot.
 */
import { takeInventory } from './inventory.ts';
import type { LogFile } from './log-file.ts';

export interface FinishedFile {
  readonly file: LogFile;
  readonly size: number;
}

/** What it must hold outside archives to be worth it. */
export const LEAST_BYTES = 1024 ** 2;
const QUIET_MS = 60_000;
const KEPT_WHOLE = 2;

export function finishedFiles(
  home: string,
  app: string,
  isInPlace: boolean,
  wallMs: number,
  isAlive: (file: LogFile) => boolean,
): FinishedFile[] {
  const pieces = takeInventory(home, app);
  return pieces.flatMap(({ file, size, archivedEnd, endedMs }) => {
    if (size === null || size === 0 || isAlive(file)) return [];
    const newer = pieces.filter((other) => isNewer(other.file, file));
    const mayGo = newer.length >= KEPT_WHOLE && wallMs - endedMs >= QUIET_MS;
    const isWorthIt = size - archivedEnd >= LEAST_BYTES || archivedEnd === size;
    return isWorthIt && (isInPlace || mayGo) ? [{ file, size }] : [];
  });
}

/** Not by time: that of an archive is when it was made. */
const isNewer = (other: LogFile, file: LogFile): boolean =>
  other.slot === file.slot && other.stream === file.stream && other.generation > file.generation;
