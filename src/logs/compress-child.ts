/**
 * The other side of `compress.ts`: a program that copies a range of a log file into a new archive and says how far it
 * is, a word a line: `copied`, `synced`. In a process of its own, because the memory and the time that compression takes
 * are then not the daemon's, and the system can put it behind everything else. It may be ended at any moment.
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { BLOCK_BYTES, compressBlock, encodeTable } from './archive-format.ts';
import { SHORTER } from './archive-name.ts';
import type { CompressRequest } from './compress.ts';
import { stepBack } from './step-back.ts';

function compress({ source, target, start, end, format, niceness }: CompressRequest): void {
  stepBack(niceness);
  const input = openSync(source, 'r');
  // Never into a file that another daemon's child may still be writing.
  const output = openSync(target, 'wx', 0o600);
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const sizes: number[] = [];
  for (let at = start; at < end; at += BLOCK_BYTES) {
    const length = Math.min(BLOCK_BYTES, end - at);
    let filled = 0;
    while (filled < length) {
      const count = readSync(input, block, filled, length - filled, at + filled);
      if (count === 0) throw Object.assign(new Error('the file became shorter'), { code: SHORTER });
      filled += count;
    }
    const packed = compressBlock(block.subarray(0, length), format);
    writeAll(output, packed);
    sizes.push(packed.length);
  }
  writeAll(output, encodeTable(sizes, format));
  writeSync(1, 'copied\n');
  fsyncSync(output);
  closeSync(output);
  writeSync(1, 'synced\n');
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

try {
  compress(JSON.parse(process.argv[2] ?? '') as CompressRequest);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.exitCode = 1;
  try {
    writeSync(1, `failed ${code ?? 'UNKNOWN'} ${message}\n`);
  } catch {
    // The daemon has died in the meantime, and looks after its files when it is back.
  }
}
