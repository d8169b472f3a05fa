/** The C library's allocator, of which SQLite, libuv and V8's own structures have their memory. */
import { tryCall } from './libc.ts';

let isOffered = true;

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
