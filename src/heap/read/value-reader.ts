/** What reads one value of the document, chunk by chunk, and the place where it complains. */
import { BadFile } from '../../input/index.ts';

export interface ValueReader {
  /**
   * Takes bytes of `chunk` from `at` on. Returns the position behind the value's last byte, or −1 when the value goes on
   * in the next chunk.
   */
  push(chunk: Uint8Array, at: number): number;
}

/** Where the parser is: the file, and how many bytes came before the present chunk. */
export interface Position {
  readonly file: string;
  chunkStart: number;
}

export const fail = (file: string, where: string | null, what: string): never => {
  throw new BadFile({ file, where, what });
};

/** A byte as a reader of the message knows it. */
export const showByte = (byte: number): string =>
  byte > 32 && byte < 127 ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`;

export const byteAt = (position: Position, at: number): string =>
  `byte ${(position.chunkStart + at).toLocaleString('en')}`;

export const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
