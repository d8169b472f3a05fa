/**
 * Reads a CPU profile of any usual format. The content decides which it is, never the name; compressed files are opened
 * first. One pass; memory grows with the tree and the samples, not with the text.
 */
import { BadFile, openInput } from '../../input/index.ts';
import type { CpuProfile } from '../model/profile.ts';
import { readJsonProfile } from './json-profile.ts';
import type { RawProfile } from './raw-profile.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Bytes read from the disk, and the size of the file. */
  readonly onProgress?: (readBytes: number, fileBytes: number) => void;
}

/**
 * The profile in `path`. Throws `BadFile` for what is in the file, the file system's own errors, and the signal's reason
 * after an abort.
 */
export async function readCpuProfile(path: string, options: ReadOptions = {}): Promise<CpuProfile> {
  let leftBytes = 0;
  const onProgress = (readBytes: number, fileBytes: number): void => {
    leftBytes = fileBytes - readBytes;
    options.onProgress?.(readBytes, fileBytes);
  };
  const { signal } = options;
  const chunks = openInput(path, { onProgress, ...(signal === undefined ? {} : { signal }) });
  try {
    return complete(await readByContent(chunks, path, () => leftBytes));
  } finally {
    // Closes the file where the content was refused before its end.
    await chunks.return();
  }
}

async function readByContent(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  remainingBytes: () => number,
): Promise<RawProfile> {
  const { head, all } = await peek(chunks);
  if (head === undefined) throw new BadFile({ file, where: null, what: 'the file is empty' });
  const first = head.find((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  if (first === 0x7b || first === 0xef) return readJsonProfile(all, file, remainingBytes);
  throw new BadFile({ file, where: null, what: 'not a CPU profile of a known format' });
}

/** The first chunk, and an iterable that still begins with it. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array | undefined; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head = first.done === true ? undefined : first.value;
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
  const all = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    if (head !== undefined) yield head;
    yield* rest;
  };
  return { head, all: all() };
}

function complete({ functions, withoutFile, ...profile }: RawProfile): CpuProfile {
  return { ...profile, functions: functions.list(withoutFile) };
}
