/**
 * What is wrong with the home itself, where nobody answers or a daemon cannot be started: it is a file, out of reach, or
 * cannot be made. Only asked when something has failed already.
 */
import { accessSync, constants, existsSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DroverError } from '../protocol/index.ts';
import { makeFolder } from './make-folder.ts';

const ADVICE = 'Choose another one with `DROVER_HOME`.';

/** Null where nothing is: it can be entered, or is not there (yet). */
export const findHomeProblem = (home: string): DroverError | null => {
  try {
    if (!statSync(home).isDirectory()) return describeHomeProblem(home, { code: 'ENOTDIR' });
    accessSync(home, constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' && linkOf(home) === null ? null : describeHomeProblem(home, error);
  }
};

/** Why something in the home, or the home itself, could not be read or made. */
export const describeHomeProblem = (home: string, error: unknown): DroverError => {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const cause = { cause: error };
  if (code === 'EACCES' || code === 'EPERM') {
    const closed = nearestPart(home, (path) => !canEnter(path));
    const what = closed === null ? `write in it` : closed === home ? `enter it` : `enter ${closed}`;
    return new DroverError(
      'DROVER_NOT_ALLOWED',
      {
        message: `You may not use Drover’s home ${shorten(home)}: you may not ${what}.`,
        advice: `Try again as the user that it belongs to. ${ADVICE}`,
      },
      cause,
    );
  }
  return new DroverError(
    'DROVER_HOME_UNUSABLE',
    { home: shorten(home), message: sentenceOf(home, code) ?? String(message) },
    cause,
  );
};

/** Throws DROVER_HOME_UNUSABLE or DROVER_NOT_ALLOWED. */
export const makeHome = (home: string): void => {
  try {
    makeFolder(home, 0o700);
  } catch (error) {
    throw describeHomeProblem(home, error);
  }
};

const sentenceOf = (home: string, code: string | undefined): string | null => {
  const target = linkOf(home);
  const file = nearestPart(home, (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === false);
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    if (file !== null) return file === home ? 'it is not a folder' : `${file} is not a folder`;
  }
  if ((code === 'ENOENT' || code === 'EEXIST') && target !== null)
    return `it is a link to ${target}, which is not there`;
  if (code === 'ENOENT') return `nothing can be made in ${nearestPart(home, existsSync, 'last') ?? '/'}`;
  if (code === 'ENAMETOOLONG') return 'its path is longer than the system takes';
  return null;
};

/** The home's path and those above it, the shortest first; the first or last one of which `is` is true. */
const nearestPart = (home: string, is: (path: string) => boolean, which: 'first' | 'last' = 'first'): string | null => {
  const parts = [home];
  for (let path = dirname(home); path !== parts[0]; path = dirname(path)) parts.unshift(path);
  const fits = (path: string): boolean => {
    try {
      return is(path);
    } catch {
      return false;
    }
  };
  return (which === 'first' ? parts.find(fits) : parts.findLast(fits)) ?? null;
};

const canEnter = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
};

const LONGEST_NAMED = 400;

const shorten = (path: string): string => (path.length > LONGEST_NAMED ? `${path.slice(0, LONGEST_NAMED)}…` : path);

const linkOf = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
};
