/**
 * The daemon's own log is its stderr, which the command line opened (or the daemon before it had). Removed, it would go
 * on being written without a name, also by every daemon that a guard brings back. So it is opened anew, in the place of
 * the same descriptors.
 */
import { closeSync, fstatSync, openSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makePlaceOf, ownRuntimePath } from '../client/index.ts';
import { replaceDescriptor } from '../os/index.ts';
import type { NeededFile } from './home-watch.ts';

export interface OwnLog {
  readonly path: string;
  /** Whether what is written can be found there. */
  isThere(): boolean;
  /** Makes the file, and its folder. Who inherits the descriptors has to inherit them again. */
  openAgain(): void;
}

const STDOUT = 1;
const STDERR = 2;

/** With the time. */
export const log = (line: string): void => {
  try {
    writeSync(STDERR, `${new Date().toISOString()} ${line}\n`);
  } catch {
    // The disk is full, or nobody reads: what it is about goes on, and is in the events.
  }
};

/** Null where stderr is something else: under a service manager, or in a terminal. */
export const findOwnLog = (home: string): OwnLog | null => {
  const stderr = fstatSync(STDERR);
  if (!stderr.isFile()) return null;
  const places = [join(home, 'daemon.log'), ownRuntimePath(home, 'log')];
  const path =
    places.find((place) => isSame(STDERR, place)) ??
    (stderr.nlink === 0 ? places.find((place) => basename(place) === nameOnceHad(STDERR)) : undefined);
  if (path === undefined) return null;
  return {
    path,
    isThere: () => isSame(STDERR, path),
    openAgain() {
      makePlaceOf(path, 0o700);
      const isBoth = fstatSync(STDOUT).ino === fstatSync(STDERR).ino;
      const fresh = openSync(path, 'a', 0o600);
      replaceDescriptor(STDERR, fresh);
      if (isBoth) replaceDescriptor(STDOUT, fresh);
      closeSync(fresh);
    },
  };
};

/** For a daemon that begins: one that was removed while a guard had it. What follows is to be found. */
export const reopenIfGone = (ownLog: OwnLog): void => {
  if (ownLog.isThere()) return;
  try {
    ownLog.openAgain();
    log(`${ownLog.path} was gone and is there again`);
  } catch {
    // The watch tries again, and says why it cannot.
  }
};

/** `onOpened`: the guard has the descriptors too, and hands them to the next daemon. */
export const neededLog = (ownLog: OwnLog, onOpened: () => void): NeededFile => ({
  ...ownLog,
  mode: 0o700,
  async makeAgain() {
    ownLog.openAgain();
    onOpened();
  },
});

const isSame = (fd: number, path: string): boolean => {
  const [open, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return named !== undefined && open.ino === named.ino && open.dev === named.dev;
};

/** Of a file that was removed; the system goes on knowing. Null where it does not tell. */
const nameOnceHad = (fd: number): string | null => {
  try {
    return basename(readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, ''));
  } catch {
    return null;
  }
};
