/**
 * Copies a stream line by line, each with a prefix: `docker compose logs` as people know it. A line ends at `\n` alone, as in
 * the log files: JSON may hold U+2028, and a progress bar `\r`.
 */
import type { Readable, Writable } from 'node:stream';

const NEWLINE = 0x0a;

/** `source` gives bytes. What it ends with, without a line end, comes out as a line. */
export const prefixLines = (source: Readable, prefix: string, target: Writable): void => {
  const head = Buffer.from(prefix);
  const lineEnd = Buffer.of(NEWLINE);
  /** The beginning of a line that goes on. */
  let held: Buffer[] = [];
  const write = (tail: Buffer): void => {
    target.write(Buffer.concat([head, ...held, tail]));
    held = [];
  };
  source.on('data', (chunk: Buffer) => {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      write(chunk.subarray(at, end + 1));
      at = end + 1;
    }
    if (at < chunk.length) held.push(chunk.subarray(at));
  });
  const finish = (): void => {
    if (held.length > 0) write(lineEnd);
  };
  source.on('end', finish);
  // One that fails has no end.
  source.on('close', finish);
};
