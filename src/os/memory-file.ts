/** A file without a name: what is too long for the environment goes to another process as a descriptor. */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callKernel, isLinux } from './libc.ts';

const MFD_CLOEXEC = 1;

/** A descriptor of a new file with this content; on Linux in memory, so that a full disk is no obstacle. */
export function openMemoryFile(content: string): number {
  const fd = isLinux ? callKernel('memfd_create', Buffer.from('drover\0'), MFD_CLOEXEC) : openUnlinked();
  try {
    const bytes = Buffer.from(content);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The content of such a file, wherever its writer has left the position. */
export function readMemoryFile(fd: number): string {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let at = 0; at < bytes.length;) {
    const count = readSync(fd, bytes, at, bytes.length - at, at);
    if (count === 0) break;
    at += count;
  }
  return bytes.toString('utf8');
}

function openUnlinked(): number {
  const folder = mkdtempSync(join(tmpdir(), 'drover-'));
  try {
    return openSync(join(folder, 'file'), 'w+', 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
