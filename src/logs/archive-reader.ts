/** One archive being read: any place in it, a block at a time, the last block kept. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES, decodeTable, decompressBlock, tableBytes } from './archive-format.ts';
import type { Archive } from './archive-name.ts';

export interface ArchiveReader {
  readonly archive: Archive;
  /** The bytes from `position` of the log file to the end of their block. Reuse ends with the next call. */
  bytesFrom(position: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Null where it has been removed. Throws where it is damaged. */
export async function openArchive(archive: Archive): Promise<ArchiveReader | null> {
  let handle: FileHandle;
  try {
    handle = await open(archive.path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const offsets = await readTable(handle, archive);
    let held = -1;
    let block: Buffer = Buffer.alloc(0);
    return {
      archive,
      async bytesFrom(position) {
        const index = Math.floor((position - archive.start) / BLOCK_BYTES);
        if (index !== held) {
          const from = offsets[index] ?? 0;
          const packed = await readFully(handle, from, (offsets[index + 1] ?? from) - from);
          block = await decompressBlock(packed, archive.format);
          held = index;
        }
        return block.subarray(position - archive.start - index * BLOCK_BYTES);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readTable(handle: FileHandle, archive: Archive): Promise<readonly number[]> {
  const blocks = Math.ceil((archive.end - archive.start) / BLOCK_BYTES);
  const length = tableBytes(blocks, archive.format);
  const { size } = await handle.stat();
  const tail = size < length ? Buffer.alloc(0) : await readFully(handle, size - length, length);
  const offsets = decodeTable(tail, archive.format);
  if (offsets?.length !== blocks + 1) throw new Error(`the archive ${archive.path} is damaged: it has no table`);
  return offsets;
}

async function readFully(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, from + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}
