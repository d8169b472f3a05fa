/**
 * Writes the time indices of one app's log files while they grow. The time of an entry is the file's own modification
 * time: it is the time of the last write below that size, however late we come to look, so an index resumed after the
 * daemon was away bounds the lines of the gap as tightly as anybody can.
 */
import { statSync, truncateSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { watchActivity } from './activity.ts';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { appendTimeEntry, openTimeIndex } from './time-index.ts';

export interface Indexer {
  /** Follows the file from now on. */
  track(file: LogFile): void;
  /** Stops looking at files that will not grow any more, after a last look. */
  retire(isRetired: (file: LogFile) => boolean): void;
  /** Looks now. */
  refresh(): void;
  /** The file was emptied: what its index says is about lines that are gone. */
  restart(file: LogFile): void;
  close(): void;
}

interface Tracked {
  readonly file: LogFile;
  /** Size that the newest entry tells of. */
  indexed: number;
}

export interface IndexerOptions {
  readonly home: string;
  readonly app: string;
  /** Told of a file that grew, or is new, and its size. */
  readonly onGrown: (file: LogFile, size: number) => void;
  /** A file that could not be looked at, and why, each time anew: the next look tries again. */
  readonly onProblem: (message: string) => void;
}

export function startIndexer({ home, app, onGrown, onProblem }: IndexerOptions): Indexer {
  const tracked = new Map<string, Tracked>();

  const track = (file: LogFile): void => {
    if (!tracked.has(file.path)) tracked.set(file.path, { file, indexed: lastIndexed(file) });
  };
  const refresh = (): boolean => {
    let hasChanged = false;
    for (const entry of tracked.values()) {
      try {
        if (look(entry)) hasChanged = true;
      } catch (error) {
        // One file, one time: the looks go on, and the other files are looked at.
        onProblem(`${entry.file.path} was not looked at: ${(error as Error).message}`);
      }
    }
    return hasChanged;
  };
  const look = (entry: Tracked): boolean => {
    const stat = statSync(entry.file.path, { throwIfNoEntry: false });
    if (stat === undefined || stat.size === entry.indexed) return false;
    // Also where the index cannot be written, on a full disk: what is told of it can make room.
    onGrown(entry.file, stat.size);
    if (!writeEntry(entry.file, entry.indexed, stat)) return false;
    entry.indexed = stat.size;
    return true;
  };

  for (const file of listLogFiles(home, app)) track(file);
  const activity = watchActivity({ directory: logDirectory(home, app), onTick: refresh, keepsAlive: false });
  return {
    track,
    retire(isRetired) {
      refresh();
      for (const { file } of tracked.values()) if (isRetired(file)) tracked.delete(file.path);
    },
    refresh: () => void refresh(),
    restart(file) {
      const entry = tracked.get(file.path);
      if (entry !== undefined) entry.indexed = 0;
      if (statSync(file.indexPath, { throwIfNoEntry: false }) !== undefined) truncateSync(file.indexPath, 0);
    },
    close() {
      activity.close();
      refresh();
    },
  };
}

/** Brings the index of the file up to its size; false where that was not possible. */
function writeEntry(file: LogFile, indexed: number, { size, mtimeMs }: Stats): boolean {
  try {
    // Somebody emptied the file: what the index says is about lines that are gone.
    if (size < indexed) truncateSync(file.indexPath, 0);
    if (size > 0) appendTimeEntry(file.indexPath, { timeMs: Math.round(mtimeMs), offset: size });
    return true;
  } catch {
    // A full disk: the next look tries again, and its entry then covers these lines too. Until then the reader
    // falls back on the file's modification time.
    return false;
  }
}

function lastIndexed(file: LogFile): number {
  const index = openTimeIndex(file.indexPath);
  try {
    return index.last()?.offset ?? 0;
  } catch {
    // Something else in its place, or a disk that cannot be read: the index is an aid, and lines come out without it.
    return 0;
  } finally {
    index.close();
  }
}
