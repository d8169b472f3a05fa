/** The one error for input that cannot be understood: which file, where in it, and what was expected there. */

export interface BadFileDetails {
  /** As the caller named it; `-` or a made-up name for bytes that came from elsewhere. */
  readonly file: string;
  /** In words that help to find the place: `byte 1,042`, `nodes[17].name`, `line 3`. Null where the file as a whole is meant. */
  readonly where: string | null;
  /** What is wrong there, as a clause: `a number was expected, found "x"`. */
  readonly what: string;
}

/** Thrown by every reader of a diagnostic file for what is in the file (never for what the file system says). */
export class BadFile extends Error {
  readonly file: string;
  readonly where: string | null;
  readonly what: string;

  constructor({ file, where, what }: BadFileDetails, options?: ErrorOptions) {
    super(`${file}: ${where === null ? '' : `at ${where}: `}${what}`, options);
    this.name = 'BadFile';
    this.file = file;
    this.where = where;
    this.what = what;
  }
}
