/** Texts of scripts, where this is the machine that they ran on. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beyond, it is a bundle, of which a line says nothing. */
const LARGEST_BYTES = 8 * 1024 * 1024;

/**
 * The text of an ordinary file, by an absolute path or a `file:` URL; undefined for everything else, whatever a file from
 * elsewhere calls it. It may have changed since: what is quoted from it is evidence to look at.
 */
export function readSource(file: string): string | undefined {
  try {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (!path.startsWith('/')) return undefined;
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LARGEST_BYTES ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined; // Another machine's, or not ours to read.
  }
}
