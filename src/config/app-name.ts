/**
 * Names of apps. They become directory names, metric labels and words on the command line, so they are kept plain;
 * `all` is taken by the commands that accept it as a target.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const LONGEST = 63;

/** What is wrong with a name, in words; null when nothing is. */
export const findNameProblem = (name: string): string | null => {
  if (name === '') return 'an app needs a name';
  if (name === 'all') return '`all` means every app and cannot be a name';
  if (name.length > LONGEST) return `a name has at most ${LONGEST} characters`;
  if (!NAME.test(name)) return 'a name begins with a letter or digit and has only letters, digits, `.`, `_` and `-`';
  return null;
};

/** A usable name made of a file or package name: `@acme/shop api` becomes `shop-api`. */
export const toAppName = (text: string): string => {
  const plain = text
    .slice(text.lastIndexOf('/') + 1)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, LONGEST);
  return plain === '' || plain === 'all' ? `${plain || 'x'}-app` : plain;
};
