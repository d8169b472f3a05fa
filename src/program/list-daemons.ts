/**
 * The processes that are a daemon, or become one, of whatever home: found by what they were started with. Nothing that
 * was written down would be as true.
 */
import { listPids, readCommandLine, readEnvironment } from '../os/index.ts';

export interface DaemonProcess {
  readonly pid: number;
  /** A shell that becomes the daemon when that dies (`daemon/guard.sh`). */
  readonly isGuard: boolean;
  readonly env: Readonly<Record<string, string>>;
}

const DAEMON_ENTRY = /\/daemon-bundle\/(?:begin|main)\.js$/;
const GUARD_ENTRY = /\/guard\.sh$/;

/** Those that may be looked at: ours, or all of them for root. None where the system does not tell. */
export const listDaemons = (): readonly DaemonProcess[] =>
  readPids().flatMap((pid) => {
    const words = readCommandLine(pid);
    if (pid === process.pid || !words.some((word) => DAEMON_ENTRY.test(word))) return [];
    const env = readEnvironment(pid);
    return env === null ? [] : [{ pid, isGuard: words.some((word) => GUARD_ENTRY.test(word)), env }];
  });

const readPids = (): readonly number[] => {
  try {
    return listPids();
  } catch {
    return [];
  }
};
