/**
 * Collects dead processes that nobody waits for: orphans, which are given to PID 1, and children of the program that this
 * process was before it became this one. Never those that Node started: it waits for them itself.
 */
import { isLinux, tryCall } from './libc.ts';
import { decodeWaitStatus, type ExitStatus } from './exit-status.ts';
import { children, readStat } from './procfs.ts';

const WNOHANG = 1;

/** Reaps dead children of this process, except those whose end Node itself waits for. */
export function reapOrphans(ours: ReadonlySet<number>): void {
  if (!isLinux) return;
  for (const pid of children(process.pid)) {
    if (!ours.has(pid) && readStat(pid)?.state === 'Z') tryCall('waitpid', pid, null, WNOHANG);
  }
}

/** How a child ended that the program before this one had started; null where it runs, or is none. Tells it once. */
export function reapChild(pid: number): ExitStatus | null {
  const stat = isLinux ? readStat(pid) : null;
  if (stat === null || stat.state !== 'Z' || stat.ppid !== process.pid) return null;
  const status = Buffer.alloc(4);
  return tryCall('waitpid', pid, status, WNOHANG) === pid ? decodeWaitStatus(status.readInt32LE()) : null;
}
