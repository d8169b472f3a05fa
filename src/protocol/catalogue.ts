/** What an entry of the error catalogue is (`errors.ts`). */

/** Values that fill a message; scalars only, so that they print the same everywhere. */
export type ErrorData = Readonly<Record<string, string | number | boolean | null | undefined>>;

type Text = (data: ErrorData) => string;
type Advice = (data: ErrorData) => string | null;

export interface CatalogueEntry {
  readonly http: number;
  /** 130 is what shells give for Ctrl-C, where 1 has a meaning of its own. */
  readonly exit: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;
  /** One sentence; what happened, with the values that matter. */
  readonly message: Text;
  /** What to do about it; null where there is nothing to advise. */
  readonly hint: Advice | null;
  /** When it occurs, for the documentation. */
  readonly when: string;
}

export const entry = (
  http: number,
  exit: CatalogueEntry['exit'],
  when: string,
  message: Text,
  hint: Advice | null = null,
): CatalogueEntry => ({ http, exit, when, message, hint });
