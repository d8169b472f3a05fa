/** Words in a unit file, as systemd.syntax(7) and systemd.service(5) want them. */

/** In any setting: `%` begins a specifier, and white space, quotes and backslashes need quotes around them. */
export const quoteWord = (text: string): string => {
  const escaped = text.replaceAll('%', '%%');
  if (!/[\s"'\\;]/.test(escaped)) return escaped;
  return `"${escaped
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`)}"`;
};

/** Of a path that cannot stand where nothing is quoted: it would begin another line, or swallow the next one. */
export const findPathProblem = (path: string): string | null => {
  // oxlint-disable-next-line no-control-regex -- Those are what is looked for.
  if (/[\u0000-\u001F\u007F]/.test(path))
    return 'its path has a control character, and a unit of systemd cannot name it';
  return path.endsWith('\\') ? 'its path ends with a backslash, and a unit of systemd cannot name it' : null;
};

/** A path that stands alone after `=`: nothing is unquoted there. */
export const escapePath = (path: string): string => path.replaceAll('%', '%%');

/** A command line: `$` begins a variable in every word but the first. */
export const quoteCommand = ([program = '', ...args]: readonly string[]): string =>
  [quoteWord(program), ...args.map((word) => quoteWord(word.replaceAll('$', '$$$$')))].join(' ');
