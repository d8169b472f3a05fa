/** Opens a heap snapshot and reads it as it streams in; a file of any size costs its columns and its strings. */
import { open } from 'node:fs/promises';
import { openInput } from '../../input/index.ts';
import type { HeapGraph } from '../model/graph.ts';
import { SnapshotParser } from './snapshot-parser.ts';
import { isBlank } from './value-reader.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** `done` of `total` bytes of the file, as they are on the disk. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Reads a `.heapsnapshot` or `.heaptimeline` of Node 20 to 26, plain, gzip or zstd. Throws `BadFile` (file, where, what)
 * for what is in the file, errors of the file system as they are, and the signal's reason when it is aborted.
 */
export async function readSnapshot(path: string, options: ReadOptions = {}): Promise<HeapGraph> {
  const parser = new SnapshotParser(path, await readMaxBytes(path));
  for await (const chunk of openInput(path, options)) parser.push(chunk);
  return parser.finish();
}

/** How many bytes can come: the file's size, unless it does not begin like JSON and is therefore compressed. */
async function readMaxBytes(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const head = new Uint8Array(1);
    await file.read(head, 0, 1, 0);
    const isPlain = head[0] === 0x7b || isBlank(head[0] as number);
    return isPlain ? (await file.stat()).size : Number.POSITIVE_INFINITY;
  } finally {
    await file.close();
  }
}

/** Whole snapshots from memory or from elsewhere, in as many chunks as they come in. `name` stands for the file in messages. */
export async function parseSnapshot(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  name: string,
): Promise<HeapGraph> {
  const parser = new SnapshotParser(name, Number.POSITIVE_INFINITY);
  for await (const chunk of chunks) parser.push(chunk);
  return parser.finish();
}
