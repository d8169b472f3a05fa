/** The fast way through an array of whole numbers; whatever it does not know is left to the reader that calls it. */
import { COMMA_SIGN, MINUS, ZERO } from './json-signs.ts';
import type { NumberColumn } from './number-column.ts';

/**
 * Takes numbers of up to nine digits, each with its comma right behind it, for as long as there are such: nearly all of
 * a big profile is read here. Returns where it stopped, which is where a number should begin.
 */
export function takePlainNumbers(column: NumberColumn, bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  // A number and its comma are two bytes at least.
  column.reserve(Math.ceil((end - start) / 2));
  const { values } = column;
  const capacity = values.length;
  let { count } = column;
  let at = start;
  while (at < end && count < capacity) {
    const isNegative = bytes[at] === MINUS;
    const first = isNegative ? at + 1 : at;
    let digit = first;
    let value = 0;
    while (digit < end) {
      const figure = (bytes[digit] as number) - ZERO;
      if (figure < 0 || figure > 9) break;
      value = value * 10 + figure;
      digit += 1;
    }
    const digits = digit - first;
    // Nine digits fit into 32 bits, and only a lone zero may begin with one.
    if (digit === end || bytes[digit] !== COMMA_SIGN || digits === 0 || digits > 9) break;
    if (bytes[first] === ZERO && digits > 1) break;
    values[count] = isNegative ? 0 - value : value;
    count += 1;
    at = digit + 1;
  }
  column.count = count;
  return at;
}
