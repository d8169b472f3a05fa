/**
 * The daemon's side of logs: opens the files of each spawn, keeps their indices, rotates them and holds them to their
 * limits. It writes no line of output itself.
 */
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { punchHole } from '../os/index.ts';
import type { Clock } from '../protocol/index.ts';
import { bestFormat, readShelf } from './archive-name.ts';
import type { ArchivedFile, ArchiveFormat } from './archive-name.ts';
import { compressApart } from './compress.ts';
import type { Compress } from './compress.ts';
import { openCurrentNames } from './current-names.ts';
import { openDaemonLog } from './daemon-log.ts';
import { startIndexer } from './indexer.ts';
import type { Indexer } from './indexer.ts';
import { DEFAULT_BUDGET, DEFAULT_LIMITS, excessBytes } from './limits.ts';
import type { LogBudget, LogLimits } from './limits.ts';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { openPunchSupport } from './punch-support.ts';
import { finishedFiles, LEAST_BYTES } from './finished-files.ts';
import { holdToBudget, holdToLimits, readDisk } from './retention.ts';
import type { RetentionOptions } from './retention.ts';
import { forgetArchives, sweepDirectory } from './rotation.ts';
import type { Punch, RotationStep } from './rotation.ts';
import { openRotator } from './rotator.ts';
import type { Due } from './rotator.ts';
import { tellOnce } from './tell-once.ts';
import { openWorkerLog } from './worker-log.ts';
import type { WorkerLog, WorkerLogOptions } from './worker-log.ts';

export interface LogsOptions {
  readonly home: string;
  /**
   * Whether a worker may still write. Asked before a file is removed or no longer indexed; for a worker of which
   * nothing is known yet (the daemon has just come back) the answer is true.
   */
  readonly isAlive: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>) => boolean;
  /** Default: {@link DEFAULT_LIMITS} for all. */
  readonly limitsOf?: (app: string) => LogLimits;
  /** Default: {@link DEFAULT_BUDGET}. */
  readonly budget?: () => LogBudget;
  readonly clock?: Clock;
  /** Told after each step of a rotation or a removal. */
  readonly onStep?: (step: RotationStep) => void;
  /** What a person should know, in a sentence. Must not throw. */
  readonly onProblem?: (message: string) => void;
  readonly punch?: Punch;
  readonly compress?: Compress;
  readonly format?: () => ArchiveFormat;
}

export interface Logs {
  /** Files for a new worker; older generations of the slot beyond those that are kept go. */
  openWorker(worker: Omit<WorkerLogOptions, 'home'>): WorkerLog;
  /** Resumes the indices and rotations of an app whose workers were adopted. */
  watch(app: string): void;
  /** Whether there is output of an app, which may have been deleted. */
  has(app: string): boolean;
  /** Where the output of an app lies. */
  directory(app: string): string;
  /**
   * Empties the files and archives of these slots of an app (null: of all it ever had), whose workers go on writing;
   * returns how many bytes that freed.
   */
  flush(app: string, slots: readonly number[] | null): number;
  /** Stops watching an app that was deleted; its files stay. */
  forget(app: string): void;
  /** Removes the files of an app, whoever writes to them. */
  remove(app: string): void;
  /** Rotates what is due and holds everything to its limits now; resolves when that is done. */
  settle(): Promise<void>;
  close(): void;
}

const CHECK_MS = 10_000;
/** Every so many checks, limits are looked at even where nothing was rotated. */
const CHECKS_PER_SWEEP = 6;
const BUDGET_AT_MOST_EVERY_MS = 5_000;
/** Starts come in bursts, and each leaves an older generation behind. */
const AFTER_START_MS = 1_000;
/** Times what a file may hold outside archives. */
const URGENT = 3;

const SYSTEM_CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export function openLogs(options: LogsOptions): Logs {
  const { home, isAlive } = options;
  const clock = options.clock ?? SYSTEM_CLOCK;
  const punch = options.punch ?? punchHole;
  const onStep = options.onStep ?? (() => {});
  const onProblem = options.onProblem ?? (() => {});
  const budget = options.budget ?? (() => DEFAULT_BUDGET);
  const limitsOf = options.limitsOf ?? (() => DEFAULT_LIMITS);
  const canPunch = openPunchSupport(home, punch);
  const indexers = new Map<string, Indexer>();
  const names = openCurrentNames({ home, isAlive, onProblem });
  const onFailure = tellOnce(onProblem);
  let flushes = 0;

  const retention: RetentionOptions = {
    home,
    limitsOf,
    budget,
    isAlive,
    canPunch,
    punch,
    onStep,
    onProblem,
    onFailure,
    wallMs: () => clock.wallMs(),
    flushes: () => flushes,
    onRemoved: (isGone) => rotator.forget(isGone),
  };
  let lastSweep: Promise<void> = Promise.resolve();
  let budgetAtMs = -Infinity;
  /** One after the other: what one removes, another must not count. */
  const sweep = async (work: () => Promise<void>): Promise<void> => {
    lastSweep = lastSweep.then(work).catch((error: Error) => onProblem(`limits of logs: ${error.message}`));
    return lastSweep;
  };
  const sweepBudget = async (): Promise<void> => {
    budgetAtMs = clock.monotonicMs();
    await sweep(async () => holdToBudget(retention));
  };
  const sweepApps = async (apps: Iterable<string>): Promise<void> => {
    for (const app of apps) {
      await sweep(async () => holdToLimits(app, retention));
      await sweep(async () => putAway(app));
    }
  };
  const started = new Set<string>();
  let afterStart: NodeJS.Timeout | null = null;
  const sweepSoon = (app: string): void => {
    started.add(app);
    afterStart ??= setTimeout(() => {
      afterStart = null;
      const apps = [...started];
      started.clear();
      void sweepApps(apps);
    }, AFTER_START_MS).unref();
  };
  const isInPlace = (app: string): boolean => limitsOf(app).rotate === 'in-place' && canPunch();
  const dueOf = (app: string): Due => {
    const { maxSizeBytes } = limitsOf(app);
    return { bytes: maxSizeBytes, urgentBytes: URGENT * maxSizeBytes };
  };
  const putAway = (app: string): void => {
    for (const { file, size } of finishedFiles(home, app, isInPlace(app), clock.wallMs(), isAlive)) {
      if (isInPlace(app)) rotator.grown(file, size, { bytes: LEAST_BYTES, urgentBytes: Infinity });
      else rotator.finish(file);
    }
    if (!isInPlace(app)) return;
    // Those that could not be rotated when they grew: the disk was full, or the daemon away.
    for (const file of listLogFiles(home, app)) {
      const size = statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
      if (size >= limitsOf(app).maxSizeBytes) rotator.grown(file, size, dueOf(app));
    }
  };

  const rotator = openRotator({
    compress: options.compress ?? compressApart,
    format: options.format ?? bestFormat,
    punch,
    onStep,
    onProblem,
    monotonicMs: () => clock.monotonicMs(),
    makeRoom: sweepBudget,
    async onRotated(file) {
      const app = appOf(file);
      if (app !== null) await sweep(async () => holdToLimits(app, retention));
      else await daemonLog.holdToLimits();
      if (clock.monotonicMs() - budgetAtMs >= BUDGET_AT_MOST_EVERY_MS) await sweepBudget();
    },
  });
  const daemonLog = openDaemonLog({ home, rotator, punch, onStep });

  let checks = 0;
  const check = (): void => {
    daemonLog.check();
    const disk = readDisk(home);
    checks += 1;
    const isFullSweep = checks % CHECKS_PER_SWEEP === 0;
    if (isFullSweep) void sweepApps([...indexers.keys()]);
    if (isFullSweep || excessBytes(0, disk, budget()) > 0) void sweepBudget();
  };
  const timer = setInterval(check, CHECK_MS).unref();

  const indexerOf = (app: string): Indexer => {
    const known = indexers.get(app);
    if (known !== undefined) return known;
    const files = listLogFiles(home, app);
    for (const directory of new Set(files.map(({ archiveDirectory }) => archiveDirectory))) sweepDirectory(directory);
    const onGrown = (file: LogFile, size: number): void => {
      if (size >= limitsOf(app).maxSizeBytes && isInPlace(app)) rotator.grown(file, size, dueOf(app));
    };
    const indexer = startIndexer({ home, app, onGrown, onProblem: onFailure });
    indexers.set(app, indexer);
    for (const file of files) if (readShelf(file).archivedEnd > 0) rotator.recover(file);
    return indexer;
  };
  const appOf = (file: ArchivedFile): string | null => ('app' in file ? (file as LogFile).app : null);
  const forget = (app: string): void => {
    indexers.get(app)?.close();
    indexers.delete(app);
    names.forget(app);
  };
  return {
    openWorker(worker) {
      const { app, slot } = worker;
      const log = openWorkerLog({ home, ...worker });
      try {
        const indexer = indexerOf(app);
        for (const file of log.files) indexer.track(file);
        const isOver = (file: LogFile): boolean => file.generation !== worker.generation && !isAlive(file);
        indexer.retire((file) => file.slot === slot && isOver(file));
        sweepSoon(app);
        if (limitsOf(app).rotate === 'rename') names.settle(app);
        return log;
      } catch (error) {
        // Nobody has them yet who could close them.
        log.close();
        throw error;
      }
    },
    watch(app) {
      indexerOf(app);
      if (limitsOf(app).rotate === 'rename') names.settle(app);
    },
    has: (app) => listLogFiles(home, app).length > 0,
    directory: (app) => logDirectory(home, app),
    flush(app, slots) {
      flushes += 1;
      let freedBytes = 0;
      const indexer = indexerOf(app);
      for (const file of listLogFiles(home, app)) {
        if (slots?.includes(file.slot) === false) continue;
        rotator.restart(file);
        const { archives, archivedEnd } = readShelf(file);
        for (const { path } of archives) freedBytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
        const size = statSync(file.path, { throwIfNoEntry: false })?.size;
        if (size !== undefined) {
          freedBytes += size - archivedEnd;
          truncateSync(file.path, 0);
        }
        forgetArchives(file);
        indexer.restart(file);
        if (size === undefined) rmSync(file.indexPath, { force: true });
      }
      indexer.refresh();
      return freedBytes;
    },
    forget,
    remove(app) {
      forget(app);
      rotator.forget((file) => file.path.startsWith(join(logDirectory(home, app), '/')));
      rmSync(logDirectory(home, app), { recursive: true, force: true });
    },
    async settle() {
      daemonLog.check();
      for (const indexer of indexers.values()) indexer.refresh();
      await rotator.idle();
      await sweepApps([...indexers.keys()]);
      await sweepBudget();
      await rotator.idle();
      await lastSweep;
    },
    close() {
      clearInterval(timer);
      if (afterStart !== null) clearTimeout(afterStart);
      rotator.close();
      names.close();
      for (const app of indexers.keys()) forget(app);
    },
  };
}
