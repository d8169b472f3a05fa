/**
 * The daemon's side of logs: opens the files of each spawn, keeps their indices, and bounds how many generations stay.
 * It writes no line of output itself.
 */
import { rmSync, statSync, truncateSync } from 'node:fs';
import { startIndexer } from './indexer.ts';
import type { Indexer } from './indexer.ts';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { openWorkerLog } from './worker-log.ts';
import type { WorkerLog, WorkerLogOptions } from './worker-log.ts';

/** Generations of a slot whose output is kept. */
export const KEPT_GENERATIONS = 10;

export interface LogsOptions {
  readonly home: string;
  /**
   * Whether a worker may still write. Asked before a file is removed or no longer indexed; for a worker of which
   * nothing is known yet (the daemon has just come back) the answer is true.
   */
  readonly isAlive: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>) => boolean;
}

export interface Logs {
  /** Files for a new worker; older generations of the slot beyond {@link KEPT_GENERATIONS} go. */
  openWorker(worker: Omit<WorkerLogOptions, 'home'>): WorkerLog;
  /** Resumes the indices of an app whose workers were adopted. */
  watch(app: string): void;
  /** Where the output of an app lies. */
  directory(app: string): string;
  /** Empties the files of an app, whose workers go on writing; returns how many bytes that freed. */
  flush(app: string): number;
  /** Stops watching an app that was deleted; its files stay. */
  forget(app: string): void;
  /** Removes the files of an app, whoever writes to them. */
  remove(app: string): void;
  close(): void;
}

export function openLogs({ home, isAlive }: LogsOptions): Logs {
  const indexers = new Map<string, Indexer>();

  const indexerOf = (app: string): Indexer => {
    const indexer = indexers.get(app) ?? startIndexer(home, app);
    indexers.set(app, indexer);
    return indexer;
  };
  const forget = (app: string): void => {
    indexers.get(app)?.close();
    indexers.delete(app);
  };
  return {
    openWorker(worker) {
      const log = openWorkerLog({ home, ...worker });
      const { app, slot } = worker;
      const indexer = indexerOf(app);
      for (const file of log.files) indexer.track(file);
      const ofSlot = listLogFiles(home, app).filter((file) => file.slot === slot);
      const isOver = (file: LogFile): boolean => file.generation !== worker.generation && !isAlive(file);
      indexer.retire((file) => file.slot === slot && isOver(file));
      for (const file of beyondKept(ofSlot)) if (isOver(file)) removeFiles(file);
      return log;
    },
    watch: (app) => void indexerOf(app),
    directory: (app) => logDirectory(home, app),
    flush(app) {
      let freedBytes = 0;
      for (const file of listLogFiles(home, app)) {
        freedBytes += statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
        truncateSync(file.path, 0);
      }
      indexerOf(app).refresh();
      return freedBytes;
    },
    forget,
    remove(app) {
      forget(app);
      rmSync(logDirectory(home, app), { recursive: true, force: true });
    },
    close() {
      for (const app of indexers.keys()) forget(app);
    },
  };
}

/** Files of the generations of one slot that were written to least recently. Numbers start anew with a new app. */
function beyondKept(files: readonly LogFile[]): LogFile[] {
  const writtenMs = new Map<number, number>();
  for (const { path, generation } of files) {
    const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    writtenMs.set(generation, Math.max(modifiedMs, writtenMs.get(generation) ?? 0));
  }
  const newestFirst = [...writtenMs].sort(([g1, ms1], [g2, ms2]) => ms2 - ms1 || g2 - g1);
  const beyond = new Set(newestFirst.slice(KEPT_GENERATIONS).map(([generation]) => generation));
  return files.filter((file) => beyond.has(file.generation));
}

function removeFiles(file: LogFile): void {
  rmSync(file.path, { force: true });
  rmSync(file.indexPath, { force: true });
}
