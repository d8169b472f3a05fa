/**
 * The form of an archive: blocks of {@link BLOCK_BYTES} of a log file (the last may be shorter), each compressed by
 * itself, one after the other, then a table of their compressed sizes. So any place is found and read without what is
 * before it. The table is in a frame that decompressors skip (zstd) or take for an empty one (gzip): `zstd -dc` and
 * `zcat` give the lines as they were.
 */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { ArchiveFormat } from './archive-name.ts';

/** Small, because a reader holds one of each file that it merges; larger ones compress hardly better. */
export const BLOCK_BYTES = 256 * 1024;

const SIZE_BYTES = 4;
/** After the sizes: how many there are, and these four letters, so that a torn file is not taken for a whole one. */
const MAGIC = Buffer.from('DrLg');
export const TRAILER_BYTES = SIZE_BYTES + MAGIC.length;

const SKIPPABLE_FRAME = 0x184d2a5d;
/** Measured on lines of access logs: half as dear as level 3, and no larger. */
const ZSTD_LEVEL = 1;
const GZIP_LEVEL = 4;

export function compressBlock(block: Buffer, format: ArchiveFormat): Buffer {
  if (format === 'gz') return zlib.gzipSync(block, { level: GZIP_LEVEL });
  return zlib.zstdCompressSync(block, { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
}

/** Off the event loop. */
export async function decompressBlock(block: Buffer, format: ArchiveFormat): Promise<Buffer> {
  if (format === 'gz') return promisify(zlib.gunzip)(block);
  if (typeof zlib.zstdDecompress !== 'function')
    throw new Error('this archive is in zstd, which this version of Node cannot read; use Node 22.18 or later');
  return promisify(zlib.zstdDecompress)(block);
}

/** The end of an archive. */
export function encodeTable(sizes: readonly number[], format: ArchiveFormat): Buffer {
  const table = Buffer.alloc(sizes.length * SIZE_BYTES + TRAILER_BYTES);
  sizes.forEach((size, index) => table.writeUInt32LE(size, index * SIZE_BYTES));
  table.writeUInt32LE(sizes.length, sizes.length * SIZE_BYTES);
  MAGIC.copy(table, table.length - MAGIC.length);
  if (format === 'zst') {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(SKIPPABLE_FRAME, 0);
    head.writeUInt32LE(table.length, 4);
    return Buffer.concat([head, table]);
  }
  return encodeEmptyMember(table);
}

/**
 * An empty gzip member whose extra field is the table. After it come an empty deflate stream, checksum and size, which
 * {@link afterTable} counts.
 */
function encodeEmptyMember(table: Buffer): Buffer {
  const FEXTRA = 4;
  const head = Buffer.from([0x1f, 0x8b, 8, FEXTRA, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x44, 0x72, 0, 0]);
  head.writeUInt16LE(table.length + 4, 10);
  head.writeUInt16LE(table.length, 14);
  return Buffer.concat([head, table, EMPTY_DEFLATE, Buffer.alloc(8)]);
}

const EMPTY_DEFLATE = Buffer.from([3, 0]);

/** Bytes after the table. */
const afterTable = (format: ArchiveFormat): number => (format === 'zst' ? 0 : EMPTY_DEFLATE.length + 8);

/** How many bytes of the end of an archive hold the table of `blocks` blocks. */
export const tableBytes = (blocks: number, format: ArchiveFormat): number =>
  blocks * SIZE_BYTES + TRAILER_BYTES + afterTable(format);

/** Where each block begins, and where the last ends, in an archive that ends with `tail`; null where it is damaged. */
export function decodeTable(tail: Buffer, format: ArchiveFormat): number[] | null {
  const table = tail.subarray(0, tail.length - afterTable(format));
  if (table.length < TRAILER_BYTES || !table.subarray(-MAGIC.length).equals(MAGIC)) return null;
  const count = table.readUInt32LE(table.length - TRAILER_BYTES);
  const first = table.length - TRAILER_BYTES - count * SIZE_BYTES;
  if (first < 0) return null;
  const offsets = [0];
  for (let index = 0, at = 0; index < count; index += 1) {
    at += table.readUInt32LE(first + index * SIZE_BYTES);
    offsets.push(at);
  }
  return offsets;
}
