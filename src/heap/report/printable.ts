/**
 * Text that came from a file, made fit for a terminal, a table or an issue tracker: on one line, of bounded length, and
 * without characters that do something instead of showing.
 */

/** Control characters, and those that turn the direction of text or hide themselves in it. */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with such characters as escapes (`\n`, `\u001b`). */
export const toPrintable = (text: string): string =>
  text.replaceAll(
    UNSEEN,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The same, cut in the end. */
export const toShort = (text: string, length: number): string => cut(toPrintable(text), length);

/** The same, cut in the middle: of a path the end tells most. */
export const toShortPath = (text: string, length: number): string => {
  const printable = toPrintable(text);
  if (printable.length <= length) return printable;
  const head = Math.floor((length - 1) / 3);
  return `${printable.slice(0, head)}…${printable.slice(printable.length - (length - 1 - head))}`;
};

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
