/**
 * A disk that can be made slow, by the kernel's own means: a loop device whose writes the block layer throttles (cgroup
 * v1, `blkio.throttle.write_bps_device` of the hierarchy's root, for this device only). It takes root and that hierarchy.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { noLoopDevices } from './file-systems.ts';
import { temporaryFolder } from './temporary.ts';

const THROTTLE = '/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device';

/** Why {@link openSlowDisk} cannot work here; false where it can. */
export const whyNoSlowDisk = (): string | false => {
  if (noLoopDevices !== false) return noLoopDevices;
  try {
    closeSync(openSync(THROTTLE, 'w'));
    return false;
  } catch (error) {
    return `no throttle of cgroup v1 here: ${String(error)}`;
  }
};

export interface SlowDisk extends AsyncDisposable {
  readonly path: string;
  slowDown(bytesPerSecond: number): void;
  speedUp(): void;
}

/** An ext4 of so many bytes, at full speed. */
export async function openSlowDisk(bytes: number): Promise<SlowDisk> {
  const folder = await temporaryFolder('slow');
  const image = join(folder.path, 'image');
  const path = join(folder.path, 'disk');
  const fd = openSync(image, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
  run('mkfs.ext4', '-q', image);
  mkdirSync(path);
  run('mount', '-o', 'loop', image, path);
  const device = run('findmnt', '-no', 'SOURCE', path).trim();
  const number = readFileSync(`/sys/block/${basename(device)}/dev`, 'utf8').trim();
  const throttle = (bytesPerSecond: number): void => writeFileSync(THROTTLE, `${number} ${bytesPerSecond}`);
  return {
    path,
    slowDown: throttle,
    speedUp: () => throttle(0),
    [Symbol.asyncDispose]: async () => {
      throttle(0);
      if (spawnSync('umount', [path]).status !== 0) run('umount', '--lazy', path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr ?? ''}`, { cause: error });
  return stdout;
}
