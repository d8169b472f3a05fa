/** Collects dead processes that nobody waits for: the duty of PID 1, to which all orphans are given. */
import { isLinux, tryCall } from './libc.ts';
import { children, readStat } from './procfs.ts';

const WNOHANG = 1;

/** Reaps dead children of this process, except those whose end Node itself waits for. */
export function reapOrphans(ours: ReadonlySet<number>): void {
  if (!isLinux) return;
  for (const pid of children(process.pid)) {
    if (!ours.has(pid) && readStat(pid)?.state === 'Z') tryCall('waitpid', pid, null, WNOHANG);
  }
}
