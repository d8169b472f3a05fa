/**
 * Frees a range of a file in place: it then reads as zeros, offsets and size stay. Works on ext4, xfs, btrfs, tmpfs and
 * overlay; elsewhere (FAT, NFS 3, ramfs, macOS) the answer is no, and callers have to do without.
 */
import { isLinux, lastErrno, tryCall } from './libc.ts';
import { OsError } from './os-error.ts';

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/**
 * False where the file system (or the system) has no such thing. Throws an {@link OsError} for anything else. Whole
 * blocks inside the range are given back, what is left of a block at either end is overwritten with zeros.
 */
export function punchHole(fd: number, offset: number, length: number): boolean {
  if (!isLinux) return false;
  if (tryCall('fallocate', fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) === 0) return true;
  const error = new OsError('fallocate', lastErrno());
  if (error.code === 'EOPNOTSUPP' || error.code === 'ENOSYS') return false;
  throw error;
}
