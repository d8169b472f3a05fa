/** Texts that a file brought, or somebody else said (an app, a host that is probed, a receiver of alerts), made fit for a terminal: nothing of them is for the terminal to act on. */

const LONGEST_NAME = 120;

/** On one line, as long as it is. */
export const toPlain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g, '\uFFFD');

/** The same, with its lines. */
export const toPlainLines = (text: string): string => text.split('\n').map(toPlain).join('\n');

/** A name, which may be a megabyte: the beginning tells most. */
export const toPlainName = (text: string): string => toPlain(cutEnd(text));

/** `file:line` without a line that is 0; the end tells most. Empty where there is no file. */
export const toPlainPlace = (url: string, line: number, longest = LONGEST_NAME): string => {
  if (url === '') return '';
  const short = url.length <= longest ? url : `…${url.slice(-longest + 1)}`;
  return toPlain(line > 0 ? `${short}:${line}` : short);
};

/** A URL of a file as a path; everything else, and what is no proper URL, as it is. */
export const toShownPath = (url: string): string => {
  if (!url.startsWith('file://')) return url;
  try {
    return decodeURI(url.slice('file://'.length));
  } catch {
    return url;
  }
};

const cutEnd = (text: string): string => (text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME - 1)}…`);
