/** Splits a shell command into words where that needs no shell; anything cleverer is left to the shell. */

/** Words of `node "my server.js" --x`; null where the text uses more than words and quotes, or sets variables. */
export const splitSimpleCommand = (text: string): string[] | null => {
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
  const [first] = words;
  return first === undefined || /^[A-Za-z_]\w*=/.test(first) ? null : words;
};
