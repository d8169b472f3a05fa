/**
 * Processes that are not our children, held by descriptor so that a reused pid cannot be mistaken for them: notice of
 * their end, how it came (kernel 6.15 and later), and duplicates of their descriptors. Linux only; callers have a
 * fallback for each.
 */
import { closeDescriptor } from './descriptor.ts';
import { decodeWaitStatus, type ExitStatus } from './exit-status.ts';
import { callKernel, loadKoffi, tryCall } from './libc.ts';
import { readStat } from './procfs.ts';
import { reapChild } from './reap.ts';

/** A descriptor of the process; becomes readable when it ends. */
export function openPidfd(pid: number): number {
  return callKernel('pidfd_open', pid, 0);
}

/**
 * Duplicates a descriptor of another process. Refused (EPERM) by containers' default seccomp without CAP_SYS_PTRACE,
 * by ptrace restrictions, and for processes that changed user.
 */
export function takeDescriptor(pid: number, fd: number): number {
  const pidfd = openPidfd(pid);
  try {
    return callKernel('pidfd_getfd', pidfd, fd, 0);
  } finally {
    closeDescriptor(pidfd);
  }
}

/** How the process ended, as far as the system tells. Null: not known (yet). Not for processes that Node started. */
export function exitOf(pid: number, pidfd: number | null): ExitStatus | null {
  // After an upgrade in place it is our child, and nobody else collects it.
  const reaped = reapChild(pid);
  if (reaped !== null) return reaped;
  const status = (pidfd === null ? null : readExitStatus(pidfd)) ?? readZombieStatus(pid);
  return status === null ? null : decodeWaitStatus(status);
}

const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_EXIT = 8n;

/** Only told once the parent has collected the process. */
function readExitStatus(pidfd: number): number | null {
  // struct pidfd_info: mask, cgroup (64 bits each), eleven ids, exit code.
  const info = Buffer.alloc(64);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT);
  if (tryCall('ioctl', pidfd, PIDFD_GET_INFO, info) < 0) return null;
  return (info.readBigUInt64LE() & PIDFD_INFO_EXIT) === 0n ? null : info.readInt32LE(60);
}

/** Before that, /proc shows it of a zombie. */
function readZombieStatus(pid: number): number | null {
  const stat = readStat(pid);
  return stat?.state === 'Z' ? stat.exitStatus : null;
}

export interface ExitWatch {
  /** Stops watching. */
  readonly close: () => void;
}

/**
 * Calls back once when the process, not our child, has ended. Throws an `OsError` where that cannot be watched (ESRCH:
 * it is gone already). Does not keep the event loop alive.
 */
export function watchExit(pid: number, onExit: (status: ExitStatus | null) => void): ExitWatch {
  const pidfd = openPidfd(pid);
  const poll = loadKoffi().node.poll(pidfd, { readable: true }, () => {
    const status = exitOf(pid, pidfd);
    close();
    onExit(status);
  });
  poll.unref();
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    poll.close();
    closeDescriptor(pidfd);
  };
  return { close };
}
