/**
 * A disk that can be made slow, by the kernel's own means: a loop device whose writes the block layer throttles (cgroup
 * v1, `blkio.throttle.write_bps_device` of the hierarchy's root, for this device only). It takes root and that hierarchy.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { mountImage, noLoopDevices, run } from './file-systems.ts';

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
  const disk = await mountImage(bytes);
  const device = run('findmnt', '-no', 'SOURCE', disk.path).trim();
  const number = readFileSync(`/sys/block/${basename(device)}/dev`, 'utf8').trim();
  const throttle = (bytesPerSecond: number): void => writeFileSync(THROTTLE, `${number} ${bytesPerSecond}`);
  return {
    path: disk.path,
    slowDown: throttle,
    speedUp: () => throttle(0),
    [Symbol.asyncDispose]: async () => {
      throttle(0);
      await disk[Symbol.asyncDispose]();
    },
  };
}
