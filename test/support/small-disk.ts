/** A file system so small that a test can fill it: a tmpfs of its own. Mounting one takes root, and is refused elsewhere. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Takes all that is free but `leaving` bytes, also what became free since the last time. */
  fill(leaving?: number): void;
  /** Gives back what {@link fill} took. */
  free(): void;
}

/** Why {@link openSmallDisk} cannot work here, for a test's `skip`; false where it can. */
export const whyNoSmallDisk = (): string | false => {
  try {
    openSmallDisk(64 * 1024)[Symbol.dispose]();
    return false;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** `at`: a folder to mount it on, made where it is missing; without it, one of its own. */
export function openSmallDisk(bytes: number, at: string | null = null): SmallDisk {
  if (at !== null) mkdirSync(at, { recursive: true, mode: 0o700 });
  const path = at ?? mkdtempSync(join(tmpdir(), 'drover-disk-'));
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=755`, 'tmpfs', path]);
  if (status !== 0) {
    rmdirSync(path);
    throw new Error(`a tmpfs cannot be mounted here: ${error?.message ?? stderr.toString().trim()}`);
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill(leaving = 0) {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leaving)), { flag: 'a' });
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      // Lazily: a process that is on its way out may still hold a file.
      spawnSync('umount', ['--lazy', path]);
      rmdirSync(path);
    },
  };
}
