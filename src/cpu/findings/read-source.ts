/** The files that a profile names, as they are on this machine now, each read once. */
import { readSource } from '../../input/index.ts';
import type { SourceLookup } from './source.ts';

export function readSourceFiles(): SourceLookup {
  const known = new Map<string, readonly string[] | null>();
  return (url) => {
    let lines = known.get(url);
    if (lines === undefined) known.set(url, (lines = readSource(url)?.split('\n') ?? null));
    return lines;
  };
}
