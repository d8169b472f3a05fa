/** A question about something that a snapshot does not have. */
export class NotInSnapshot extends Error {
  override readonly name = 'NotInSnapshot';
  readonly file: string;
  /** `class Session`, `object @17`. */
  readonly what: string;
  /** The nearest that there is, or empty. */
  readonly suggestion: string;

  constructor(file: string, what: string, suggestion = '') {
    super(`${file} has no ${what}`);
    this.file = file;
    this.what = what;
    this.suggestion = suggestion;
  }
}
