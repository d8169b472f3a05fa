/**
 * Opens a diagnostic file as a stream of bytes, whatever it was compressed with: the first bytes tell, never the name.
 * Holds one chunk at a time; a file of any size costs the same memory.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { BadFile } from './bad-file.ts';

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Called with bytes read from the disk (compressed, where the file is) and the size of the file in bytes. */
  readonly onProgress?: (readBytes: number, fileBytes: number) => void;
  /** Bytes a chunk, 1 MiB unless told. */
  readonly chunkBytes?: number;
}

/** zlib hands out 16 KiB at a time unless told: sixteen times the turns of the loop. */
const PLAIN_CHUNK_BYTES = 256 * 1024;

const CAN_READ_ZSTD = 'createZstdDecompress' in zlib;

const DECOMPRESSORS: readonly {
  readonly name: string;
  readonly magic: readonly number[];
  /** Null where this Node cannot. */
  readonly create: () => Transform | null;
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], create: () => zlib.createGunzip({ chunkSize: PLAIN_CHUNK_BYTES }) },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    // Not in Node 20, nor in the first ones of 22: by its name it could not even be imported there.
    create: () => (CAN_READ_ZSTD ? zlib.createZstdDecompress({ chunkSize: PLAIN_CHUNK_BYTES }) : null),
  },
];

/**
 * The bytes of a file, decompressed where it is gzip or zstd. Errors of the file system come as they are (ENOENT, EACCES,
 * EISDIR, ESPIPE for a pipe, which cannot be read twice); damaged compression is a `BadFile`; an abort throws the signal's reason.
 */
export async function* openInput(path: string, options: OpenOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted();
  // Opened without waiting: a pipe that nobody writes to would be waited for, for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    assertSeekable(await file.stat(), path);
    const head = new Uint8Array(4);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const compression = DECOMPRESSORS.find(
      ({ magic }) => bytesRead >= magic.length && magic.every((byte, at) => head[at] === byte),
    );
    const chunks = readChunks(file, options);
    if (compression === undefined) yield* chunks;
    else yield* decompress(chunks, path, compression);
  } finally {
    await file.close();
  }
}

/** Throws, as the file system would, for what has no beginning to go back to. */
function assertSeekable(stat: Stats, path: string): void {
  if (stat.isFIFO() || stat.isSocket())
    throw Object.assign(new Error(`ESPIPE: a pipe, read '${path}'`), { code: 'ESPIPE', syscall: 'read', path });
}

async function* readChunks(file: FileHandle, options: OpenOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, onProgress, chunkBytes = 1 << 20 } = options;
  const { size } = await file.stat();
  for (let at = 0; ;) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    onProgress?.(at, size);
    yield chunk.subarray(0, bytesRead);
  }
}

async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  { name, create }: (typeof DECOMPRESSORS)[number],
): AsyncGenerator<Uint8Array, void, undefined> {
  const decompressor = create();
  if (decompressor === null)
    throw new BadFile({
      file: path,
      where: null,
      what: `${name} data, which Node ${process.versions.node} cannot read`,
    });
  // The pipeline hands errors of the source on to the reader, and ends the source when the reader stops early.
  const plain = pipeline(Readable.from(chunks, { objectMode: false }), decompressor, () => undefined);
  try {
    yield* plain as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_') && !code.startsWith('ZSTD_')) throw error;
    const what = `damaged ${name} data (${(error as Error).message})`;
    throw new BadFile({ file: path, where: null, what }, { cause: error });
  }
}
