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

/** A path that stands alone after `=`: nothing is unquoted there. */
export const escapePath = (path: string): string => path.replaceAll('%', '%%');

/** A command line: `$` begins a variable in every word but the first. */
export const quoteCommand = ([program = '', ...args]: readonly string[]): string =>
  [quoteWord(program), ...args.map((word) => quoteWord(word.replaceAll('$', '$$$$')))].join(' ');
