/**
 * Cuts bytes into lines. Lines end at `\n` whatever else they hold, so a character is never cut in two and binary
 * output survives (bytes that are not UTF-8 become U+FFFD). A line beyond {@link LINE_LIMIT_BYTES} is cut, marked, and
 * its rest skipped, so memory stays bounded whatever a program writes.
 */

export const LINE_LIMIT_BYTES = 1 << 20;
export const CUT_MARK = ' … [cut: longer than 1 MiB]';
const NEWLINE = 0x0a;

export interface RawLine {
  /** Where in the file it begins. */
  readonly offset: number;
  readonly text: string;
}

export interface LineSplitter {
  /** The lines that `chunk`, which follows what was pushed before, completes. The chunk may be reused afterwards. */
  push(chunk: Buffer): RawLine[];
  /** What is there of an unfinished line; what follows it later counts as a line of its own. */
  flush(): RawLine | null;
  /** True while bytes of an unfinished line are held. */
  readonly isMidLine: boolean;
  /** Where the line begins that is not finished (or not begun) yet. */
  readonly lineStart: number;
}

export function splitLines(startOffset: number): LineSplitter {
  let offset = startOffset;
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** Inside a line that has been given out already: its rest is skipped ('cut') or at least its line end is ('shown'). */
  let given: 'no' | 'cut' | 'shown' = 'no';

  const take = (tail: Buffer): RawLine => {
    const text = heldBytes === 0 ? tail.toString() : Buffer.concat([...held, tail]).toString();
    const line = { offset: offset - heldBytes, text };
    held = [];
    heldBytes = 0;
    return line;
  };
  /** `part` begins at `offset` and has no line end. Gives out the line where it becomes too long. */
  const hold = (part: Buffer, lines: RawLine[]): void => {
    if (given === 'cut' || part.length === 0) return;
    given = 'no';
    const room = LINE_LIMIT_BYTES - heldBytes;
    if (part.length <= room) {
      held.push(Buffer.from(part));
      heldBytes += part.length;
      return;
    }
    const { offset, text } = take(wholeCharacters(part.subarray(0, room)));
    lines.push({ offset, text: text + CUT_MARK });
    given = 'cut';
  };

  return {
    push(chunk) {
      const lines: RawLine[] = [];
      let at = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
        const part = chunk.subarray(at, end);
        if (heldBytes + part.length > LINE_LIMIT_BYTES) hold(part, lines);
        // An unfinished line that was shown, and is now ended without another byte, is not a second, empty line.
        const isRest = given === 'cut' || (given === 'shown' && part.length === 0);
        if (!isRest) lines.push(take(part));
        given = 'no';
        offset += part.length + 1;
        at = end + 1;
      }
      hold(chunk.subarray(at), lines);
      offset += chunk.length - at;
      return lines;
    },
    flush() {
      if (heldBytes === 0) return null;
      given = 'shown';
      return take(Buffer.alloc(0));
    },
    get isMidLine() {
      return heldBytes > 0;
    },
    get lineStart() {
      return offset - heldBytes;
    },
  };
}

/** Without the bytes of a character that the end cuts in two. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue; // Continues a character that began further left.
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
