/** Writes a file for a command. It is there whole or not at all: what was there before stays until then. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DroverError } from '../protocol/index.ts';
import { toFileError } from './file-error.ts';

/** `shown`: the path as it was typed. Throws the errors of the catalogue, DROVER_CANCELLED where `signal` aborts. */
export async function writeWhole(
  path: string,
  parts: Iterable<string | Uint8Array>,
  shown: string,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await pipeline(Readable.from(parts, { objectMode: false }), createWriteStream(partial, { flags: 'wx' }), {
      signal,
    });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted) throw new DroverError('DROVER_CANCELLED', { what: `Writing ${shown}` }, { cause: error });
    throw toFileError(error, shown);
  }
}
