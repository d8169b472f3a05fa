/**
 * Children that the program before this one had started, and that nobody else collects when they end: its guard, what
 * compressed a log. Workers are left to who watches them (`supervisor/adoption-run.ts`), which wants to know how they end.
 */
import { children, reapChild, readStat } from '../../os/index.ts';

/** Ends by itself with the last of them. */
export const collectChildren = (workers: ReadonlySet<number>): void => {
  const waiting = new Set(children(process.pid).filter((pid) => !workers.has(pid)));
  const collect = (): void => {
    for (const pid of waiting) {
      if (reapChild(pid) !== null || readStat(pid)?.ppid !== process.pid) waiting.delete(pid);
    }
    if (waiting.size === 0) process.off('SIGCHLD', collect);
  };
  if (waiting.size === 0) return;
  process.on('SIGCHLD', collect);
  collect();
};
