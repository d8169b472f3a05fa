/** The C library's allocator, of which SQLite, libuv and V8's own structures have their memory. */
import { tryCall } from './libc.ts';

/** From <malloc.h>. */
const M_MMAP_THRESHOLD = -3;

/** With which glibc begins; it raises it to the size of whatever larger block is freed, up to 32 MB. */
const LARGE_BYTES = 128 * 1024;

let isOffered = true;

/**
 * Large blocks (what a file is read or compressed into) have a mapping of their own each, which goes back to the system
 * when they are freed, also after the first of them. Nothing where the C library has no such function.
 */
export function mapLargeBlocks(): void {
  try {
    tryCall('mallopt', M_MMAP_THRESHOLD, LARGE_BYTES);
  } catch {
    // It has a way of its own.
  }
}

/**
 * Gives back to the system what is free in whole pages, also between what is in use (glibc does that only at the end of
 * its heap by itself). Half a millisecond for a heap of 16 MB. Nothing where the C library has no such function (musl).
 */
export function giveBackFreeMemory(): void {
  if (!isOffered) return;
  try {
    tryCall('malloc_trim', 0);
  } catch {
    isOffered = false;
  }
}
