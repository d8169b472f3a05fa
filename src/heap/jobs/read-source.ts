/** Texts of scripts, where this is the machine that they ran on. */
import { readFileSync, statSync } from 'node:fs';

/** Beyond, it is a bundle, of which a line says nothing. */
const LARGEST_BYTES = 8 * 1024 * 1024;

/** The text of an ordinary file with an absolute path; undefined for everything else, whatever a snapshot calls it. */
export const readSource = (path: string): string | undefined => {
  if (!path.startsWith('/')) return undefined;
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LARGEST_BYTES ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined; // Another machine's, or not ours to read: the snapshot itself has the beginning.
  }
};
