/** What is at a path, asked without throwing: configurations name paths that may be anything. */
import { type Stats, statSync } from 'node:fs';

/** What keeps a path from being read as a file, in words; null when nothing does. */
export const findFileProblem = (path: string): string | null => {
  const stat = read(path);
  if (typeof stat === 'string') return stat;
  if (stat.isDirectory()) return 'is a directory';
  return stat.isFile() ? null : 'is not a file';
};

/** The same for a directory. */
export const findDirectoryProblem = (path: string): string | null => {
  const stat = read(path);
  if (typeof stat === 'string') return stat;
  return stat.isDirectory() ? null : 'is not a directory';
};

const read = (path: string): Stats | string => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? 'does not exist';
  } catch (cause) {
    // EACCES, ELOOP, ENAMETOOLONG: the system's own words say it best.
    return `cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`;
  }
};
