/** What goes wrong with a diagnostic file, in the words of the catalogue. */
import { DroverError } from '../protocol/index.ts';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by you',
  EPERM: 'may not be read by you',
  EISDIR: 'is a directory',
  EMFILE: 'cannot be opened: too many files are open',
};

interface BadFileLike {
  readonly file: string;
  readonly where: string | null;
  readonly what: string;
}

const isBadFile = (error: unknown): error is BadFileLike => error instanceof Error && error.name === 'BadFile';

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
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  const problem = code === undefined ? undefined : PROBLEMS[code];
  if (problem === undefined) return error;
  return new DroverError('DROVER_FILE_UNREADABLE', { file: path ?? file, problem }, { cause: error });
};
