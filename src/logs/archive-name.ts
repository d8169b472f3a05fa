/**
 * What has been rotated out of a log file, told by names alone: `<stem>.<start>-<end>.zst` (or `.gz`) holds the bytes
 * `start` to `end` of it, and `<stem>.<cut>-<base>.gone` (empty) says that everything below `cut` was removed and that
 * the first line that is left whole begins at `base`. A name appears in one step, by `rename`, so there is no half
 * record, and nothing to repair. Archives may end in mid-line: a log file and its archives are one run of bytes.
 */
import { join } from 'node:path';
import { namesIn } from './log-file.ts';

export type ArchiveFormat = 'zst' | 'gz';

/** zstd where this Node has it; asked without loading what compresses. */
export const bestFormat = (): ArchiveFormat => (process.versions['zstd'] === undefined ? 'gz' : 'zst');

/** What one archive may hold: the table of its blocks must fit into a field of 64 KiB in a gzip archive. */
export const LARGEST_BYTES = 1024 ** 3;

/** What archives belong to: a worker's log file, or the daemon's own. */
export interface ArchivedFile {
  readonly path: string;
  readonly stem: string;
  readonly archiveDirectory: string;
  /** Its time index; null where it has none. */
  readonly indexPath: string | null;
}

export interface ArchiveRange {
  readonly start: number;
  readonly end: number;
}

export interface Archive extends ArchiveRange {
  readonly path: string;
  readonly format: ArchiveFormat;
}

export interface Shelf {
  /** By their place in the file; nothing below `base`. */
  readonly archives: readonly Archive[];
  /** Everything below is gone; a line begins here. */
  readonly base: number;
  /** Below, the bytes are in archives or gone; from here on they are in the file itself. */
  readonly archivedEnd: number;
  /** Names in the directory that mean nothing any more: archives below `base`, older marks. */
  readonly stale: readonly string[];
}

const ARCHIVE = /^(?<stem>.+)\.(?<start>\d+)-(?<end>\d+)\.(?<format>zst|gz)$/;
const MARK = /^(?<stem>.+)\.(?<cut>\d+)-(?<base>\d+)\.gone$/;
export const PART_SUFFIX = '.part';
/** The code of the error where a range that was to become an archive is no longer there. */
export const SHORTER = 'DROVER_SHORTER';

export const archivePath = (file: ArchivedFile, { start, end }: ArchiveRange, format: ArchiveFormat): string =>
  join(file.archiveDirectory, `${file.stem}.${start}-${end}.${format}`);

export const markPath = (file: ArchivedFile, cut: number, base: number): string =>
  join(file.archiveDirectory, `${file.stem}.${cut}-${base}.gone`);

/** What there is of one file. */
export const readShelf = (file: ArchivedFile): Shelf =>
  shelve(file.archiveDirectory, file.stem, namesIn(file.archiveDirectory));

/** The same for many files in one directory, which is read once. */
export function readShelves<File extends ArchivedFile>(files: readonly File[]): ReadonlyMap<File, Shelf> {
  const names = new Map<string, readonly string[]>();
  return new Map(
    files.map((file) => {
      const listed = names.get(file.archiveDirectory) ?? namesIn(file.archiveDirectory);
      names.set(file.archiveDirectory, listed);
      return [file, shelve(file.archiveDirectory, file.stem, listed)];
    }),
  );
}

function shelve(directory: string, stem: string, names: readonly string[]): Shelf {
  const stale: string[] = [];
  const found: (Archive & { readonly name: string })[] = [];
  let cut = 0;
  let base = 0;
  let mark: string | null = null;
  for (const name of names) {
    if (!name.startsWith(stem)) continue;
    const asMark = MARK.exec(name)?.groups;
    if (asMark?.['stem'] === stem) {
      const at = Number(asMark['cut']);
      if (mark !== null) stale.push(at > cut ? mark : name);
      if (mark !== null && at <= cut) continue;
      cut = at;
      base = Number(asMark['base']);
      mark = name;
    }
    const asArchive = ARCHIVE.exec(name)?.groups;
    if (asArchive?.['stem'] !== stem) continue;
    found.push({
      name,
      path: join(directory, name),
      start: Number(asArchive['start']),
      end: Number(asArchive['end']),
      format: asArchive['format'] === 'gz' ? 'gz' : 'zst',
    });
  }
  const archives: Archive[] = [];
  let archivedEnd = cut;
  for (const { name, ...archive } of found.sort((a, b) => a.start - b.start)) {
    if (archive.end <= cut) stale.push(name);
    else archives.push(archive);
    archivedEnd = Math.max(archivedEnd, archive.end);
  }
  return { archives, base, archivedEnd, stale };
}
