/** File systems of a test's own: a small one that can be filled up, and one that turns read-only. They need root. */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary.ts';

/** Why tests that mount something are skipped here; false where they run. */
export const noMounts: string | false = (() => {
  if (process.platform !== 'linux') return 'tmpfs is mounted as on Linux';
  if (process.getuid?.() !== 0) return 'mounting a file system needs root';
  // Containers often have root without the right to mount.
  const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  return tried.status === 0 ? false : 'mounting a file system is not allowed here';
})();

/** Why tests with a loop device are skipped here; false where they run. */
export const noLoopDevices: string | false =
  noMounts !== false
    ? noMounts
    : spawnSync('losetup', ['--find']).status !== 0 || spawnSync('mkfs.ext4', ['-V']).status !== 0
      ? 'no loop device or no mkfs.ext4 here'
      : false;

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all that is left. */
  fill(): void;
  /** Gives that back. */
  empty(): void;
  /** Only while nobody has a file open for writing. */
  remountReadOnly(): void;
  remountWritable(): void;
}

/** A tmpfs of so many bytes. */
export async function smallDisk(bytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder('disk');
  mount('-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'none', folder.path);
  const ballast = join(folder.path, 'ballast');
  return {
    path: folder.path,
    fill() {
      const fd = openSync(ballast, 'a');
      try {
        for (let size = 65_536; size >= 4_096;) {
          try {
            writeSync(fd, Buffer.alloc(size));
          } catch {
            size /= 2;
          }
        }
      } finally {
        closeSync(fd);
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    remountReadOnly: () => mount('-o', 'remount,ro', folder.path),
    remountWritable: () => mount('-o', 'remount,rw', folder.path),
    [Symbol.asyncDispose]: async () => {
      unmount(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

export interface FailingDisk extends AsyncDisposable {
  readonly path: string;
  /** As the kernel does at an error of the device: read-only at once, whatever is open. */
  fail(): void;
}

/** An ext4 in a file. */
export async function failingDisk(bytes: number): Promise<FailingDisk> {
  const disk = await mountImage(bytes);
  return { ...disk, fail: () => mount('-o', 'remount,abort', disk.path) };
}

/** An ext4 of so many bytes in a file, on a loop device. */
export async function mountImage(bytes: number): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder('disk');
  const image = join(folder.path, 'image');
  const path = join(folder.path, 'mounted');
  const fd = openSync(image, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
  run('mkfs.ext4', '-q', image);
  mkdirSync(path);
  mount('-o', 'loop', image, path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      unmount(path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const mount = (...args: readonly string[]): void => void run('mount', ...args);

/** Lazily where it is still in use, so that a failed test leaves nothing mounted. */
function unmount(path: string): void {
  if (spawnSync('umount', [path]).status !== 0) run('umount', '--lazy', path);
}

/** Returns what it printed. Throws what it said where it failed. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr ?? ''}`, { cause: error });
  return stdout;
}
