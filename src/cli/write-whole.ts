/**
 * Writes a file for a command. It is there whole or not at all: what was there before stays until then. Where it can be
 * known that it will not do, that is said before the work is done.
 */
import { createWriteStream } from 'node:fs';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DroverError } from '../protocol/index.ts';

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'may not be written by you',
  EISDIR: 'is a directory, not a file to write',
  ENOENT: 'cannot be written: its folder is not there',
  ENOSPC: 'cannot be written: the disk is full',
  ENOTDIR: 'cannot be written: its folder is not there',
  EPERM: 'may not be written by you',
  EROFS: 'may not be written by you',
};

const unwritable = (shown: string, problem: string, cause?: unknown): DroverError => {
  const advice = 'Name another file with `-o`.';
  return new DroverError('DROVER_FILE_UNREADABLE', { file: shown, problem, advice }, { cause });
};

const toWriteError = (error: unknown, shown: string): DroverError => {
  const { code = '' } = error as NodeJS.ErrnoException;
  return unwritable(shown, PROBLEMS[code] ?? `cannot be written (${code || String(error)})`, error);
};

/**
 * Refuses an output that is a directory, lies in none, or is one of the inputs, which are evidence. `shown`: the path as it
 * was typed. Throws DROVER_FILE_UNREADABLE.
 */
export async function assertWritable(path: string, shown: string, inputs: readonly string[]): Promise<void> {
  try {
    if (!(await stat(dirname(path))).isDirectory()) throw unwritable(shown, PROBLEMS['ENOTDIR'] as string);
    const existing = await findEntry(path);
    if (existing?.isDirectory()) throw unwritable(shown, PROBLEMS['EISDIR'] as string);
    for (const input of existing === undefined ? [] : inputs) {
      const { dev, ino } = (await findEntry(input)) ?? {};
      if (dev === existing?.dev && ino === existing?.ino)
        throw unwritable(shown, 'is the file that is read, and would be lost');
    }
  } catch (error) {
    throw error instanceof DroverError ? error : toWriteError(error, shown);
  }
}

/** `shown`: the path as it was typed. Throws the errors of the catalogue, DROVER_CANCELLED where `signal` aborts. */
export async function writeWhole(
  path: string,
  parts: Iterable<string | Uint8Array>,
  shown: string,
  signal: AbortSignal,
): Promise<void> {
  const source = Readable.from(parts, { objectMode: false });
  try {
    const existing = await findEntry(path);
    // A device or a pipe takes what is written to it; a file put in its place would be the end of it.
    if (existing?.isFile() === false) await pipeline(source, createWriteStream(path), { signal });
    else await replace(existing === undefined ? path : await realpath(path), source, signal);
  } catch (error) {
    if (signal.aborted) throw new DroverError('DROVER_CANCELLED', { what: `Writing ${shown}` }, { cause: error });
    throw toWriteError(error, shown);
  }
}

async function replace(path: string, source: Readable, signal: AbortSignal): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await pipeline(source, createWriteStream(partial, { flags: 'wx' }), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

const findEntry = async (path: string) =>
  stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
