/** Opens a heap snapshot and reads it as it streams in; a file of any size costs its columns and its strings. */
import { open } from 'node:fs/promises';
import { openInput } from '../../input/index.ts';
import type { HeapGraph } from '../model/graph.ts';
import { INPUT_BYTES, INPUT_OFFSET } from './wasm-memory.ts';
import { borrowWasmReader, returnWasmReader, type WasmReader } from './wasm-reader.ts';
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
  options.signal?.throwIfAborted();
  const wasm = borrowWasmReader();
  try {
    if (wasm !== null && (await looksPlain(path))) return await readPlain(path, wasm, options);
    const parser = new SnapshotParser(path, Number.POSITIVE_INFINITY, wasm);
    for await (const chunk of openInput(path, options)) parser.push(chunk);
    return parser.finish();
  } finally {
    returnWasmReader(wasm);
  }
}

/** A file that does not begin like JSON is compressed, or nothing that can be read. */
async function looksPlain(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const head = new Uint8Array(1);
    const { bytesRead } = await file.read(head, 0, 1, 0);
    return bytesRead === 1 && (head[0] === 0x7b || isBlank(head[0] as number));
  } finally {
    await file.close();
  }
}

/** Straight into the memory of the reader in WebAssembly, the next half of it while the other one is parsed. */
async function readPlain(path: string, wasm: WasmReader, { signal, onProgress }: ReadOptions): Promise<HeapGraph> {
  const file = await open(path, 'r');
  let pending: Promise<{ bytesRead: number }> | null = null;
  try {
    const { size } = await file.stat();
    const parser = new SnapshotParser(path, size, wasm);
    const half = INPUT_BYTES / 2;
    const slots = [0, half].map((at) => wasm.bytes.subarray(INPUT_OFFSET + at, INPUT_OFFSET + at + half));
    const read = (slot: number, position: number): Promise<{ bytesRead: number }> =>
      file.read(slots[slot] as Uint8Array, 0, half, position);
    pending = read(0, 0);
    for (let slot = 0, position = 0; ; slot = 1 - slot) {
      const { bytesRead } = await pending;
      if (bytesRead === 0) return parser.finish();
      position += bytesRead;
      pending = read(1 - slot, position);
      signal?.throwIfAborted();
      onProgress?.(position, size);
      parser.push((slots[slot] as Uint8Array).subarray(0, bytesRead));
    }
  } finally {
    // A read that is under way ends before its file is closed and its memory goes to somebody else.
    await pending?.catch(() => undefined);
    await file.close();
  }
}

/** Whole snapshots from memory or from elsewhere, in as many chunks as they come in. `name` stands for the file in messages. */
export async function parseSnapshot(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  name: string,
): Promise<HeapGraph> {
  const wasm = borrowWasmReader();
  try {
    const parser = new SnapshotParser(name, Number.POSITIVE_INFINITY, wasm);
    for await (const chunk of chunks) parser.push(chunk);
    return parser.finish();
  } finally {
    returnWasmReader(wasm);
  }
}
