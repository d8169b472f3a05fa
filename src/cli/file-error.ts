/** What goes wrong with a diagnostic file, in the words of the catalogue. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { DroverError } from '../protocol/index.ts';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by you',
  EPERM: 'may not be read by you',
  EISDIR: 'is a directory',
  ESPIPE: 'is a pipe; write what comes through it to a file first',
};

interface BadFileLike {
  readonly file: string;
  readonly where: string | null;
  readonly what: string;
}

const isBadFile = (error: unknown): error is Error & BadFileLike => error instanceof Error && error.name === 'BadFile';

/**
 * The error as one of the catalogue where it is about a file: the file system's refusals (by their `code`), and `BadFile`.
 * Anything else is given back as it is.
 */
export const toFileError = (error: unknown, file: string): unknown => {
  if (error instanceof DroverError) return error;
  if (isBadFile(error)) {
    const { where, what } = error;
    return new DroverError('DROVER_FILE_INVALID', { file: error.file, where, what }, { cause: error });
  }
  const { code, syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || (syscall === undefined && code !== 'ERR_INVALID_ARG_VALUE')) return error;
  const problem = PROBLEMS[code] ?? `cannot be read (${code})`;
  return new DroverError('DROVER_FILE_UNREADABLE', { file: path ?? file, problem }, { cause: error });
};

/** Refuses at once what could not be read later, when somebody has waited. Throws DROVER_FILE_UNREADABLE. */
export const assertReadable = async (file: string): Promise<void> => {
  try {
    const entry = await stat(file);
    const refuse = (code: string): Error => Object.assign(new Error(), { code, syscall: 'open' });
    if (entry.isDirectory()) throw refuse('EISDIR');
    if (entry.isFIFO() || entry.isSocket()) throw refuse('ESPIPE');
    await access(file, constants.R_OK);
  } catch (error) {
    throw toFileError(error, file);
  }
};
