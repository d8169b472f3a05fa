/** Strings of JSON in bytes: where they end, and what they say. */
import { BACKSLASH, QUOTE } from './json-signs.ts';

/** The closing quote of the string whose first byte is at `start`; −1 when it is not there yet. */
export function findTextEnd(bytes: Buffer, start: number): number {
  let from = start;
  for (;;) {
    const end = bytes.indexOf(QUOTE, from);
    if (end === -1) return -1;
    let backslashes = 0;
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** What stands between two quotes; null for a wrong escape or a control character. */
export function decodeText(bytes: Buffer, start: number, end: number): string | null {
  let isPlain = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) {
      isPlain = false;
      break;
    }
  }
  if (isPlain) return bytes.toString('latin1', start, end);
  try {
    return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string;
  } catch {
    return null;
  }
}
