/**
 * Which lines of a file belong together: a stack trace, an inspected object, what Node prints when an exception ends a
 * process. A line that continues the one before is told by its look, because workers write text, not records; what may
 * be told so is bounded, so that a program whose every line is indented still comes out in parts.
 */

/** A record beyond this is cut in two. */
export const RECORD_LIMIT_LINES = 1_000;
export const RECORD_LIMIT_CHARACTERS = 1 << 20;

export interface LineGrouper {
  /** Whether this line, the next of its file, continues the record of the line before. */
  joins(text: string): boolean;
  /** Whether the record so far looks as if more of it were to come: known only by what follows, or by silence. */
  readonly mayGoOn: boolean;
}

/** `/srv/app/server.js:12`: above the source line, the carets and the error with which Node ends a process. */
const PLACE = /^(?:file:\/\/|\/|node:|\[eval\]|\[stdin\]|evalmachine\.).*:\d+$/s;
const CARETS = /^\s*\^+\s*$/;
/** The last line of that. */
const NODE_VERSION = /^Node\.js v\d/;
const FRAME = /^\s+at /;
/** Indented, a cause, or the end of an inspected object, which is nobody's record by itself. */
const CONTINUES = /^(?:[ \t]+\S|[\])}]+[,;]?$|Caused by\b|\[cause\]|From previous event\b|Emitted '|\.\.\. \d+ more\b)/;
/** How a line ends, or what it names, when lines that belong to it usually follow. A message may hold U+2028. */
const OPENING = /(?:[{[(]|(?:Error|Exception|Warning|Rejection)\b.*)$/s;
/** Lines of a message between the carets and the first frame; something thrown that is no error has no frame at all. */
const MESSAGE_LINES = 10;

/** Where within Node's last words a line stands. */
type Place = 'none' | 'place' | 'source' | 'message' | 'trace' | 'blank';

/** `isWithin`: the first line need not begin a record; it is looked at like any other. */
export function groupLines(isWithin = false): LineGrouper {
  let place: Place = 'none';
  let messageLines = 0;
  let lines = isWithin ? 1 : 0;
  let characters = 0;

  let last = '';
  let hasJoined = false;

  const isNext = (text: string): boolean => {
    switch (place) {
      case 'place':
        place = 'source';
        return true;
      case 'source':
        if (!CARETS.test(text)) break;
        place = 'message';
        messageLines = 0;
        return true;
      case 'message':
        if (FRAME.test(text)) place = 'trace';
        else if (NODE_VERSION.test(text)) place = 'none';
        else messageLines += 1;
        if (messageLines <= MESSAGE_LINES) return true;
        break;
      case 'trace':
        if (text !== '') break;
        place = 'blank';
        return true;
      case 'blank':
        place = 'none';
        return NODE_VERSION.test(text);
      default:
    }
    if (CONTINUES.test(text)) return true;
    place = 'none';
    return false;
  };

  return {
    joins(line) {
      // Where lines end with `\r\n`, the return is no part of how they look.
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      const joins = lines > 0 && lines < RECORD_LIMIT_LINES && characters < RECORD_LIMIT_CHARACTERS && isNext(text);
      if (!joins) {
        lines = characters = 0;
        place = PLACE.test(text) ? 'place' : 'none';
      }
      lines += 1;
      characters += line.length;
      last = text;
      hasJoined = joins;
      return joins;
    },
    get mayGoOn() {
      return hasJoined ? !NODE_VERSION.test(last) : place === 'place' || OPENING.test(last);
    },
  };
}

/** Cuts lines (from the start of a record on) into records. */
export function intoRecords<Line extends { readonly joins: boolean }>(lines: readonly Line[]): Line[][] {
  const records: Line[][] = [];
  for (const line of lines) {
    const last = records.at(-1);
    if (line.joins && last !== undefined) last.push(line);
    else records.push([line]);
  }
  return records;
}
