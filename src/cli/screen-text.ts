/** Text of terminals: what of a line fits, and which keys were pressed. Reads and writes nothing. */

/** A sequence that colours, or a character. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const PIECE = /\u001B\[[0-9;]*m|[^]/gu;
const RESET = '\u001B[0m';
const MORE = '…';

/** What of a line fits into so many columns, with a sign where something was left out. Each character counts as one column. */
export const cutLine = (line: string, columns: number): string => {
  const pieces = line.match(PIECE) ?? [];
  const isColour = (piece: string): boolean => piece.startsWith('\u001B[') && piece.length > 1;
  if (pieces.filter((piece) => !isColour(piece)).length <= columns) return line;
  let taken = 0;
  let shown = '';
  for (const piece of pieces) {
    if (!isColour(piece) && ++taken === columns) break;
    shown += piece;
  }
  return `${shown}${MORE}${line.includes('\u001B[') ? RESET : ''}`;
};

/** A sequence of a key that is no character (arrows, page up), or a character. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const KEY = /\u001B(?:\[[0-?]*[ -/]*[@-~]|O.)|[^]/gu;

/** What was read at once may be several keys: pasted, or typed while nothing was read. */
export const splitKeys = (text: string): readonly string[] => text.match(KEY) ?? [];
