/**
 * Removes copies that nobody needs any more. Kept: those that the caller names (the program that serves, the one before it,
 * one that tests itself), both of an upgrade that has not ended, and any that a process still has in its command line or environment: workers load their agent from there, and so do
 * the processes that they start later.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './program.ts';
import { readPending, UNFINISHED, VERSIONS_FOLDER } from './records.ts';

/** Returns what was removed. Throws what the file system says. */
export const removeOld = (home: string, kept: readonly Program[]): readonly string[] => {
  const folder = join(home, VERSIONS_FOLDER);
  const pending = readPending(home);
  const wanted = new Set([...kept, ...(pending === null ? [] : [pending.from, pending.to])].map(({ root }) => root));
  const old = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !wanted.has(join(folder, entry.name)) && !isBeingMade(entry.name))
    .map(({ name }) => join(folder, name));
  if (old.length === 0) return [];
  const mentions = listMentions(folder);
  const unused = old.filter((path) => !mentions.some((text) => text.includes(`${path}/`)));
  for (const path of unused) rmSync(path, { recursive: true, force: true });
  return unused;
};

/** A command makes it at this moment. */
const isBeingMade = (name: string): boolean => {
  const pid = name.startsWith(UNFINISHED) ? Number.parseInt(name.slice(UNFINISHED.length), 10) : 0;
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** What processes say of this folder. Without /proc nothing is known, and nobody's agent is loaded from there. */
const listMentions = (folder: string): readonly string[] => {
  let pids: readonly string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  } catch {
    return [];
  }
  return pids.flatMap((pid) =>
    ['cmdline', 'environ'].flatMap((file) => {
      try {
        const text = readFileSync(join('/proc', pid, file), 'utf8');
        return text.includes(folder) ? [text] : [];
      } catch {
        // It ended, or is somebody else's.
        return [];
      }
    }),
  );
};
