/**
 * What a failure of SQLite or of the file system means for the time series. Unlike for the state, nothing is worth a
 * refusal: what is not a damaged file waits, also what is a defect of ours.
 */

export type SeriesFailure = 'damaged' | 'unwritable';

/** Primary result codes of SQLite: ERROR (a table of another form), CORRUPT, NOTADB. https://www.sqlite.org/rescode.html */
const DAMAGED: ReadonlySet<number> = new Set([1, 11, 26]);
/** IOERR_SHORT_READ, IOERR_CORRUPTFS, and a version that is not ours. */
const DAMAGED_EXTENDED: ReadonlySet<number> = new Set([522, 8458]);

export function diskTroubleOf(error: unknown): SeriesFailure {
  const { errcode } = (error ?? {}) as { readonly errcode?: unknown };
  if (typeof errcode !== 'number') return error instanceof OtherForm ? 'damaged' : 'unwritable';
  return DAMAGED.has(errcode & 0xff) || DAMAGED_EXTENDED.has(errcode) ? 'damaged' : 'unwritable';
}

/** The file was written by another version of Drover. */
export class OtherForm extends Error {}

/** SQLITE_FULL: the disk, or the file has as many pages as it may have. */
export const isFull = (error: unknown): boolean => (error as { readonly errcode?: unknown } | null)?.errcode === 13;
