/**
 * A guard that becomes the next daemon is none any more, and a Node takes a while until it has one of its own: killed in
 * that time, it would be the last. So the shell leaves a copy of itself behind (`guard.sh`), which waits at a pipe as the
 * guard did; the new daemon has the other end, and sends it away once its own guard stands.
 */
import { writeSync } from 'node:fs';
import { closeDescriptor, inodeOf, setCloexec } from '../os/index.ts';
import type { DescriptorName } from '../protocol/index.ts';

/** Names the descriptor of the daemon's end. */
export const STANDBY_VARIABLE = 'DROVER_STANDBY';

/** Takes the variable out of the environment. What is returned sends the standby away; it is nothing without one. */
export const takeStandby = (env: NodeJS.ProcessEnv): (() => void) => {
  const name = env[STANDBY_VARIABLE] as DescriptorName | undefined;
  delete env[STANDBY_VARIABLE];
  const [fd = -1, inode] = (name ?? '').split(':').map(Number);
  if (name === undefined || !isOpenAs(fd, inode)) return () => {};
  // Held by a worker as well, it would never tell the standby that this daemon is gone.
  setCloexec(fd, true);
  return () => {
    try {
      writeSync(fd, 'q\n');
    } catch {
      // It is gone already.
    }
    closeDescriptor(fd);
  };
};

const isOpenAs = (fd: number, inode: number | undefined): boolean => {
  try {
    return inodeOf(fd) === inode;
  } catch {
    return false;
  }
};
