/**
 * Which runtime directory the daemon of a home has chosen, written down in that home: whoever asks that daemon (from cron, by
 * `sudo`, from a unit) may have another environment, and the next daemon is to find the agents that were told to come there.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileOf = (home: string): string => join(home, 'runtime-directory');

/** Longer than any path of a directory in which a socket can be made. */
const LONGEST = 256;
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Null where there is none, or none that only this user, or root, can have written. What it names is to be looked at as
 * well (`findDirectoryOwner`).
 */
export const readRuntimeNote = (home: string, uid: number): string | null => {
  let fd: number;
  try {
    // No link is followed, and a pipe that somebody has put there makes nobody wait.
    fd = openSync(fileOf(home), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(fd);
    const isOurs = (stat.uid === uid || stat.uid === ROOT) && (stat.mode & WRITABLE_BY_OTHERS) === 0;
    if (!stat.isFile() || !isOurs || stat.size > LONGEST) return null;
    const directory = readFileSync(fd, 'utf8').trimEnd();
    return directory.startsWith('/') ? directory : null;
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
};

/** In one step. Throws what the system says. */
export const writeRuntimeNote = (home: string, directory: string): void => {
  const file = fileOf(home);
  writeFileSync(`${file}.new`, `${directory}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};
