/**
 * Splits a shell command into words where that needs no shell; anything cleverer is left to the shell. Understood are
 * words, quotes, variables whose value is one plain word, and assignments in front.
 */

type Environment = Readonly<Record<string, string | undefined>>;

export interface SimpleCommand {
  readonly words: readonly [string, ...string[]];
  /** What the assignments in front set, for this command only. */
  readonly env: Readonly<Record<string, string>>;
}

/** Words of `A=1 node "my server.js" -p ${PORT:-3000}`; null where the text needs a shell. */
export const parseSimpleCommand = (text: string, env: Environment): SimpleCommand | null => {
  const expanded = expandVariables(text, env);
  const parts = expanded === null ? null : splitWords(expanded);
  if (parts === null) return null;
  const set: Record<string, string> = {};
  while (parts[0] !== undefined) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(parts[0]) ?? [];
    if (name === undefined) break;
    set[name] = value ?? '';
    parts.shift();
  }
  // The shell itself becomes the command, which is what seeing through it comes to.
  if (parts[0] === 'exec' && parts[1]?.startsWith('-') === false) parts.shift();
  const [first, ...rest] = parts;
  return first === undefined || OF_THE_SHELL.has(first) ? null : { words: [first, ...rest], env: set };
};

/** Words that mean something to the shell, which no program of that name does. */
const OF_THE_SHELL: ReadonlySet<string> = new Set(
  (
    '. : ! { } [[ alias bg break builtin case cd command continue declare do done elif else esac eval exec exit export fg fi ' +
    'for function getopts hash if jobs let local read readonly return select set shift source then time times trap type ' +
    'typeset ulimit umask unalias unset until wait while'
  ).split(' '),
);

/** A value that stays one word, and the same word, whether it stands in quotes or not. */
const PLAIN = /^[\w@%+:,./-]+$/;

/** Puts in the values of `$NAME`, `${NAME}` and `${NAME:-default}`; null where one would need the shell's own rules. */
const expandVariables = (text: string, env: Environment): string | null => {
  let isPlain = true;
  const expanded = text.replaceAll(
    /'[^']*'|\\.|\$(?:\{([A-Za-z_]\w*)(?::-([^{}$`"'\\]*))?\}|([A-Za-z_]\w*))/gs,
    (whole: string, braced?: string, fallback?: string, bare?: string) => {
      const name = braced ?? bare;
      // In single quotes, or escaped: not a variable.
      if (name === undefined) return whole;
      const value = env[name] || fallback || '';
      isPlain &&= PLAIN.test(value);
      return value;
    },
  );
  return isPlain ? expanded : null;
};

/** By blanks and quotes, nothing put in; null where the text needs a shell. */
export const splitWords = (text: string): string[] | null => {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const word = /^(?:[^\s"'\\$`|&;<>(){}*?[\]~#!\n]+|"[^"\\$`!\n]*"|'[^'\n]*')+(?=\s|$)/.exec(rest)?.[0];
    if (word === undefined) return null;
    words.push(
      word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
    );
    rest = rest.slice(word.length).replace(/^[ \t]+/, '');
    if (rest.startsWith('\n')) return null;
  }
  return words;
};
