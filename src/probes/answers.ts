/** What a check answers, in words that people read: bounded, one line, nothing in it that a terminal would obey. */
import type { CheckAnswer } from './edges.ts';

/** Kubernetes reads as much of a body, or of what a command prints (`maxRespBodyLength`, `maxReadLength`). */
export const READ_BYTES = 10 * 1024;
const DETAIL_CHARACTERS = 1000;

export const passed = (warning: string | null = null): CheckAnswer => ({ outcome: 'pass', error: null, warning });

export const failed = (error: string): CheckAnswer => ({ outcome: 'fail', error: oneLine(error), warning: null });

/** Nothing is known: this side could not ask, or nobody has said. */
export const missing = (error: string): CheckAnswer => ({ outcome: 'missing', error: oneLine(error), warning: null });

/** Control characters and runs of white space become one space. */
export const oneLine = (text: string): string => {
  // Twice as much suffices for most texts, and bounds the work for all of them.
  const line = text
    .slice(0, 2 * DETAIL_CHARACTERS)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const isCut = line.length > DETAIL_CHARACTERS || text.length > 2 * DETAIL_CHARACTERS;
  return isCut ? `${line.slice(0, DETAIL_CHARACTERS - 1)}…` : line;
};

/** `within 1000 ms`: why an attempt was aborted, as whoever aborts it says. */
export const withinOf = (signal: AbortSignal): string => String(signal.reason);

/** At most {@link READ_BYTES} of what arrives. */
export class Excerpt {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  /** True once there is no room for more. */
  add(chunk: Buffer): boolean {
    const room = READ_BYTES - this.#length;
    if (room > 0) {
      // A copy of what is cut: a slice would keep the whole chunk.
      this.#chunks.push(chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk);
      this.#length += Math.min(room, chunk.length);
    }
    return this.#length >= READ_BYTES;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** Codes that say that this process or machine has no room for one more: nothing against who was to be asked. */
const OURS = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']);

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOENT: 'its socket is not there',
  // The answer of a Unix socket whose queue is full, where TCP would let us wait.
  EAGAIN: 'its queue of connections is full: it accepts none',
  ENOTFOUND: 'the name of the host is not known',
  EHOSTUNREACH: 'the host is not to be reached',
  ENETUNREACH: 'the network is not to be reached',
};

/** The answer to an error of the system while something was asked over a socket. */
export const answerOf = (error: NodeJS.ErrnoException): CheckAnswer => {
  const { code = '', message } = error;
  const words = WORDS[code];
  const text = words === undefined ? message || code : `${words} (${code})`;
  return OURS.has(code) ? missing(`it could not be asked: ${text}`) : failed(text);
};
