/** Copies a stream line by line, each with a prefix: `docker compose logs` as people know it. */
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

export const prefixLines = (source: Readable, prefix: string, target: Writable): void => {
  createInterface({ input: source, crlfDelay: Infinity }).on('line', (line) => target.write(`${prefix}${line}\n`));
};
