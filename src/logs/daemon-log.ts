/**
 * The daemon's own log: `<home>/daemon.log`, which the command line opens as the daemon's stderr, appending. It is rotated
 * like a worker's; its archives are in `<home>/archive/`. Under systemd there is none, and nothing to do.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readShelf } from './archive-name.ts';
import type { ArchivedFile } from './archive-name.ts';
import { removeBelow } from './removal.ts';
import type { RemovalTools } from './removal.ts';
import type { Rotator } from './rotator.ts';
import { sweepDirectory } from './rotation.ts';

export interface DaemonLogOptions extends Omit<RemovalTools, 'isOutdated'> {
  readonly home: string;
  readonly rotator: Rotator;
}

export interface DaemonLog {
  /** Looks whether it has grown too much. */
  check(): void;
  /** Removes archives beyond {@link DAEMON_LOG_KEEP}. */
  holdToLimits(): Promise<void>;
}

export const DAEMON_LOG_BYTES = 10 * 1024 ** 2;
export const DAEMON_LOG_KEEP = 5;

export function openDaemonLog({ home, rotator, ...tools }: DaemonLogOptions): DaemonLog {
  const archiveDirectory = join(home, 'archive');
  const file: ArchivedFile = { path: join(home, 'daemon.log'), stem: 'daemon', archiveDirectory, indexPath: null };
  sweepDirectory(archiveDirectory);
  if (readShelf(file).archivedEnd > 0) rotator.recover(file);
  return {
    check() {
      const size = statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
      if (size >= DAEMON_LOG_BYTES) rotator.grown(file, size, { bytes: DAEMON_LOG_BYTES, urgentBytes: Infinity });
    },
    async holdToLimits() {
      const { archives } = readShelf(file);
      const last = archives.at(-DAEMON_LOG_KEEP - 1);
      if (last !== undefined) await removeBelow(file, last.end, { ...tools, isOutdated: () => false });
    },
  };
}
