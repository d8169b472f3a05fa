/** What is free between what is in use goes back to the system: looked at from the system's side. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import koffi from 'koffi';
import { giveBackFreeMemory, mapLargeBlocks } from '../../src/os/index.ts';

const libc = koffi.load(null);
const malloc = libc.func('uintptr_t malloc(size_t)') as (bytes: number) => bigint;
const memset = libc.func('uintptr_t memset(uintptr_t, int, size_t)') as (
  at: bigint,
  value: number,
  n: number,
) => bigint;
const free = libc.func('void free(uintptr_t)') as (at: bigint) => void;

/** Below the size from which glibc maps a block by itself. */
const BLOCK_BYTES = 64 * 1024;
const BLOCKS = 500;
/** Of so many blocks one stays in use. */
const KEPT_EVERY = 10;
/** A mapping of its own only until one of that size was freed, left to itself. */
const LARGE_BYTES = 8 * 1024 ** 2;

const privateDirtyBytes = (): number =>
  Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]) * 1024;

const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

describe('the allocator', { skip: !isGlibc && 'the C library is not glibc' }, () => {
  it('gives back free memory that has something in use behind it', () => {
    const blocks = Array.from({ length: BLOCKS }, () => malloc(BLOCK_BYTES));
    for (const block of blocks) memset(block, 1, BLOCK_BYTES);
    // Wherever the blocks are: what glibc finds free at the end of its heap it gives back by itself, before we measure.
    const kept = blocks.filter((_, index) => index % KEPT_EVERY === 0);
    for (const block of blocks) if (!kept.includes(block)) free(block);
    const before = privateDirtyBytes();
    giveBackFreeMemory();
    const gone = before - privateDirtyBytes();
    assert.ok(gone > ((BLOCKS - kept.length) * BLOCK_BYTES) / 2, `${gone} bytes went back`);
    for (const block of kept) free(block);
  });

  it('gives back a large block when it is freed, also the second time', () => {
    mapLargeBlocks();
    const first = malloc(LARGE_BYTES);
    free(first);
    const second = malloc(LARGE_BYTES);
    memset(second, 1, LARGE_BYTES);
    const last = malloc(BLOCK_BYTES);
    const before = privateDirtyBytes();
    free(second);
    const gone = before - privateDirtyBytes();
    assert.ok(gone > LARGE_BYTES / 2, `${gone} bytes went back`);
    free(last);
  });
});
