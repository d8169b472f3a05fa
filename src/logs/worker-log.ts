/**
 * The files that a worker writes to. The daemon opens them and hands the descriptors over at spawn; from then on no
 * byte of output passes through it. `O_APPEND` makes every write land at the end, whoever empties the file meanwhile.
 */
import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { logDirectory, logFileOf } from './log-file.ts';
import type { LogFile } from './log-file.ts';

export interface WorkerLogOptions {
  readonly home: string;
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
  /** Who the worker runs as, where that is not the daemon's own user. */
  readonly uid: number | null;
}

export interface WorkerLog {
  /** Descriptors for `stdio`; the worker has its own copies once it is spawned. */
  readonly stdout: number;
  readonly stderr: number;
  readonly files: readonly [stdout: LogFile, stderr: LogFile];
  /** Closes the daemon's descriptors. To be called when the worker was spawned, or could not be. */
  close(): void;
}

export function openWorkerLog({ home, app, slot, generation, uid }: WorkerLogOptions): WorkerLog {
  mkdirSync(logDirectory(home, app), { recursive: true, mode: 0o700 });
  const out = logFileOf(home, { app, slot, generation, stream: 'stdout' });
  const err = logFileOf(home, { app, slot, generation, stream: 'stderr' });
  const stdout = openForAppending(out.path, uid);
  let stderr: number;
  try {
    stderr = openForAppending(err.path, uid);
  } catch (error) {
    closeSync(stdout);
    throw error;
  }
  let isOpen = true;
  return {
    stdout,
    stderr,
    files: [out, err],
    close() {
      if (!isOpen) return; // The numbers may be somebody else's by now.
      isOpen = false;
      closeSync(stdout);
      closeSync(stderr);
    },
  };
}

function openForAppending(path: string, uid: number | null): number {
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    // The descriptor is all that writing needs; but programs that open /dev/stdout need to own the file.
    // Not where it has somebody else's output, of a deleted app of that name: that user could read it by this descriptor.
    if (uid !== null && process.getuid?.() === 0 && isTheirs(fd, uid)) fchownSync(fd, uid, -1);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

const isTheirs = (fd: number, uid: number): boolean => {
  const { size, uid: owner } = fstatSync(fd);
  return size === 0 || owner === uid;
};

/** Whether both files of a worker that writes are where a reader looks for them; where the system cannot tell, they are. */
export function isKept(home: string, worker: Pick<LogFile, 'app' | 'slot' | 'generation'>): boolean {
  return (['stdout', 'stderr'] as const).every((stream) => {
    try {
      return statSync(logFileOf(home, { ...worker, stream }).path, { throwIfNoEntry: false }) !== undefined;
    } catch {
      return true;
    }
  });
}
