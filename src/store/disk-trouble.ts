/**
 * What a failure of SQLite or of the file system means for the state: it cannot be written now, it is damaged, or
 * somebody else has it. Everything else is a defect of ours and is not excused here.
 */
import { DroverError, messageOf } from '../protocol/index.ts';

export type DiskTrouble = 'unwritable' | 'damaged' | 'held';

/** Primary result codes of SQLite (the low byte of an extended one). */
const BY_RESULT: Readonly<Record<number, DiskTrouble>> = {
  5: 'held', // BUSY
  6: 'held', // LOCKED
  8: 'unwritable', // READONLY
  10: 'unwritable', // IOERR
  11: 'damaged', // CORRUPT
  13: 'unwritable', // FULL
  14: 'unwritable', // CANTOPEN
  26: 'damaged', // NOTADB
};
/** Kinds of IOERR that reading brings: a short read, a failed one, a file system that says it is damaged itself. */
const READING: ReadonlySet<number> = new Set([266, 522, 8458]);
const RESULT_MASK = 0xff;

const BY_ERRNO: Readonly<Record<string, DiskTrouble>> = {
  EROFS: 'unwritable',
  ENOSPC: 'unwritable',
  EDQUOT: 'unwritable',
  EIO: 'unwritable',
};

/** Null for what is neither the disk's nor the file's fault. */
export function diskTroubleOf(error: unknown): DiskTrouble | null {
  if (error instanceof DroverError) return diskTroubleOf(error.cause);
  if (typeof error !== 'object' || error === null) return null;
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  if (typeof errcode === 'number') {
    return READING.has(errcode) ? 'damaged' : (BY_RESULT[errcode & RESULT_MASK] ?? null);
  }
  return typeof code === 'string' ? (BY_ERRNO[code] ?? null) : null;
}

/** The failure in the words of the error catalogue, its cause kept. */
export function toStateError(file: string, cause: unknown): DroverError {
  if (cause instanceof DroverError) return cause;
  const trouble = diskTroubleOf(cause);
  const message = trouble === 'held' ? 'another daemon holds it' : systemMessageOf(cause);
  return new DroverError(
    trouble === 'unwritable' ? 'DROVER_STATE_UNWRITABLE' : 'DROVER_STATE_UNREADABLE',
    { file, message },
    { cause },
  );
}

/** What the system said, without our own words around it. */
export function systemMessageOf(error: unknown): string {
  if (error instanceof DroverError) return String(error.data['message'] ?? error.message);
  return inOneLine(messageOf(error));
}

/** Reasons stand in the middle of sentences. */
export const inOneLine = (text: string): string =>
  text
    .split(/\s*\n\s*/)
    .filter((line) => line !== '')
    .join('; ');
