/**
 * Whole numbers as text for a page: little ones take a byte (LEB128: seven bits at a time, the eighth says that more
 * follow), and the bytes are base64. Runs in Node and in browsers.
 */

/** Whole numbers from 0 up to 2^53 − 1; throws a RangeError for others, which would not end or not come back. */
export function packNumbers(values: ArrayLike<number>): string {
  let bytes = new Uint8Array(values.length * 2 + 16);
  let at = 0;
  for (let index = 0; index < values.length; index += 1) {
    if (at + 8 > bytes.length) bytes = grow(bytes);
    let left = values[index] as number;
    if (!(left >= 0 && left <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${left} is no number to pack`);
    // Bit operations know 32 bits only.
    while (left > 0x7fff_ffff) {
      bytes[at] = (left % 128) | 128;
      at += 1;
      left = Math.floor(left / 128);
    }
    while (left > 127) {
      bytes[at] = (left & 127) | 128;
      at += 1;
      left >>>= 7;
    }
    bytes[at] = left;
    at += 1;
  }
  return toBase64(bytes.subarray(0, at));
}

function grow(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(bytes.length * 2);
  more.set(bytes);
  return more;
}

/** What `packNumbers` wrote, into `into`, which has the length. */
export function unpackNumbers<Into extends Float64Array | Uint32Array | Int32Array>(text: string, into: Into): Into {
  const bytes = fromBase64(text);
  let at = 0;
  for (let index = 0; index < into.length; index += 1) {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = bytes[at] as number;
      at += 1;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    into[index] = value;
  }
  return into;
}

/** Numbers that need not be whole: `quantum` times whole ones. */
export interface PackedWeights {
  readonly quantum: number;
  readonly numbers: string;
}

/** Keeps whole numbers as they are, and others to a 64-billionth of the largest. */
export function packWeights(values: ArrayLike<number>): PackedWeights {
  let largest = 0;
  let isWhole = true;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (value > largest) largest = value;
    if (!Number.isSafeInteger(value)) isWhole = false;
  }
  // So little that a part of it is nothing is nothing.
  const quantum = isWhole ? 1 : largest / 2 ** 36 || 1;
  const whole = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1)
    whole[index] = Math.max(0, Math.round((values[index] as number) / quantum));
  return { quantum, numbers: packNumbers(whole) };
}

export function unpackWeights({ quantum, numbers }: PackedWeights, count: number): Float64Array {
  const values = unpackNumbers(numbers, new Float64Array(count));
  if (quantum !== 1) for (let index = 0; index < count; index += 1) values[index] = (values[index] as number) * quantum;
  return values;
}

const PIECE = 0x6000;

function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // A multiple of three, so that the pieces join without padding between them.
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE))));
  return pieces.join('');
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
