/** What lies in the logs of an app: sizes and times of files and archives, for the limits to be held against. */
import { statSync } from 'node:fs';
import { readShelves } from './archive-name.ts';
import type { Archive } from './archive-name.ts';
import type { KeptPiece } from './limits.ts';
import { listLogFiles } from './log-file.ts';
import type { LogFile } from './log-file.ts';

export interface ArchivePiece extends KeptPiece {
  readonly file: LogFile;
  readonly archive: Archive;
}

export interface FilePiece extends KeptPiece {
  readonly file: LogFile;
  /** Of the file itself; null where only archives are left. */
  readonly size: number | null;
  readonly archives: readonly ArchivePiece[];
  /** Where the part begins that is in no archive, and where what is left at all begins. */
  readonly archivedEnd: number;
  readonly base: number;
}

const STAT_BLOCK_BYTES = 512;

/**
 * `bytes` of a file are those it takes on the disk beside its archives, its index included. In the order of `listLogFiles`,
 * archives by their place.
 */
export function takeInventory(home: string, app: string): FilePiece[] {
  return [...readShelves(listLogFiles(home, app))].map(([file, { archives, archivedEnd, base }]) => {
    const live = statSync(file.path, { throwIfNoEntry: false });
    const index = statSync(file.indexPath, { throwIfNoEntry: false });
    const pieces = archives.flatMap((archive): ArchivePiece[] => {
      const stat = statSync(archive.path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ file, archive, bytes: stat.size, endedMs: stat.mtimeMs }];
    });
    return {
      file,
      size: live?.size ?? null,
      bytes: ((live?.blocks ?? 0) + (index?.blocks ?? 0)) * STAT_BLOCK_BYTES,
      endedMs: live?.mtimeMs ?? pieces.at(-1)?.endedMs ?? 0,
      archives: pieces,
      archivedEnd,
      base,
    };
  });
}
