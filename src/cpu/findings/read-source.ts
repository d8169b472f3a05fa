/**
 * The files that a profile names, as they are on this machine now: ordinary files under absolute paths, up to 4 MB each.
 * What cannot be read is not there. The profile may come from elsewhere or be older: lines are evidence to look at, and
 * the report quotes them.
 */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SourceLookup } from './source.ts';

const MOST_BYTES = 4 * 1024 * 1024;

export function readSourceFiles(): SourceLookup {
  const known = new Map<string, readonly string[] | null>();
  return (url) => {
    let lines = known.get(url);
    if (lines === undefined) known.set(url, (lines = readLines(url)));
    return lines;
  };
}

function readLines(url: string): readonly string[] | null {
  try {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    if (!path.startsWith('/')) return null;
    const entry = statSync(path);
    return entry.isFile() && entry.size <= MOST_BYTES ? readFileSync(path, 'utf8').split('\n') : null;
  } catch {
    return null;
  }
}
