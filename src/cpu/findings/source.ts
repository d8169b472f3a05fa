/**
 * The text behind a profile, where it can be had. V8 gives `JSON.parse`, a list's `find` or `new Error` no frame of their
 * own: their time is that of the function that called them, and only the line that a sample fell on, read in the source,
 * tells which it was.
 */

/** The lines of a file, or null where it cannot be had. The file may have changed since the profile was taken. */
export type SourceLookup = (url: string) => readonly string[] | null;

export const NO_SOURCE: SourceLookup = () => null;

/** A line that is longer is machine-made, and holds so much that a sample in it says nothing. */
const LONGEST_LINE = 400;

/** The line (from 1), trimmed; null where there is none or where it is too long to mean anything. */
export function lineAt(source: SourceLookup, url: string, line: number): string | null {
  const text = url === '' || line < 1 ? undefined : source(url)?.[line - 1];
  return text === undefined || text.length > LONGEST_LINE ? null : text.trim();
}

/** How far below the beginning of a function its calls are looked for. */
const LONGEST_FUNCTION = 120;

/** The first line from `line` on, within what one function may be long, that matches; null where there is none. */
export function findLine(
  source: SourceLookup,
  url: string,
  line: number,
  pattern: RegExp,
): { readonly line: number; readonly text: string } | null {
  const lines = url === '' || line < 1 ? null : source(url);
  if (lines === null) return null;
  const opening = /^\s*/.exec(lines[line - 1] ?? '')?.[0].length ?? 0;
  for (let at = line; at <= Math.min(lines.length, line + LONGEST_FUNCTION); at += 1) {
    const text = lines[at - 1] as string;
    if (text.length <= LONGEST_LINE && pattern.test(text)) return { line: at, text: text.trim() };
    // A closing brace no deeper than the function began: what follows is not its own.
    if (at > line && /^\s*\}/.test(text) && (/^\s*/.exec(text)?.[0].length ?? 0) <= opening) return null;
  }
  return null;
}
