/** Reads text line by line from chunks, holding one chunk and one cut line. Refuses lines beyond a bound. */
import { BadFile } from './bad-file.ts';

export interface LineOptions {
  /** For messages. */
  readonly file: string;
  /** Characters of one line; 1 Mi unless told: the deepest stacks are far below. */
  readonly maxLineLength?: number;
}

/**
 * Calls `onLine` for every line, without its end (`\n` or `\r\n`), with its number from 1. What is not UTF-8 comes as
 * replacement characters. A last line without an end counts; nothing after the last end does not.
 */
export async function readLines(
  chunks: AsyncIterable<Uint8Array>,
  onLine: (line: string, number: number) => void,
  { file, maxLineLength = 1 << 20 }: LineOptions,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  const take = (text: string): void => {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      number += 1;
      if (end - from > maxLineLength) fail();
      onLine(text.slice(from, text.charCodeAt(end - 1) === 0x0d && end > from ? end - 1 : end), number);
      from = end + 1;
    }
    rest = text.slice(from);
    if (rest.length > maxLineLength) {
      number += 1;
      fail();
    }
  };
  const fail = (): never => {
    throw new BadFile({ file, where: `line ${number}`, what: `a line of more than ${maxLineLength} characters` });
  };
  for await (const chunk of chunks) take(rest + decoder.decode(chunk, { stream: true }));
  take(rest + decoder.decode());
  if (rest !== '') onLine(rest.endsWith('\r') ? rest.slice(0, -1) : rest, number + 1);
}
