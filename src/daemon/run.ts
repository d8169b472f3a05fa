/**
 * `drover run`: the supervisor in the foreground, for containers and development. No daemon, no guard, no state on disk.
 * Ends when every app has finished or crash-loops. As PID 1 it also collects orphans.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeExit } from '../core/index.ts';
import { DroverError, type AppConfig, type Clock, type DaemonConfig } from '../protocol/index.ts';
import { closeDescriptor, openChannelPair, reapOrphans } from '../os/index.ts';
import { commandPids } from '../probes/index.ts';
import type { Output, WorkerOutput } from '../supervisor/index.ts';
import { compose, type Drover } from './compose.ts';
import { NO_INHERITANCE } from './inheritance.ts';
import { prefixLines } from './prefix-lines.ts';
import { watchFiles } from './watch-files.ts';

export interface ForegroundRequest {
  readonly apps: readonly AppConfig[];
  /** What the configuration says about the daemon, which this process is; null: nothing. */
  readonly daemon: DaemonConfig | null;
  /** Reload when files below `directory` change. */
  readonly watch: boolean;
  readonly directory: string;
}

const systemClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const REAP_EVERY_MS = 1000;
/** What shells add to the number of a signal that ended a program. */
const SIGNAL_BASE = 128;

/** Runs the apps until all have ended; resolves with the exit code: the last one that a worker ended with. */
export const runForeground = async ({ apps, daemon, watch, directory }: ForegroundRequest): Promise<number> => {
  const home = mkdtempSync(join(tmpdir(), 'drover-run-'));
  const ended = Promise.withResolvers<void>();
  const output = apps.length > 1 ? prefixedOutput() : inheritedOutput();
  const drover = await compose({
    home,
    stateFile: ':memory:',
    clock: systemClock,
    inherited: NO_INHERITANCE,
    broughtBackBy: 'nobody',
    level: null,
    keepsWorkers: false,
    output,
    onDescriptorsChanged: () => {},
    onShutdown: () => ended.resolve(),
    onUpgrade: () => Promise.reject(new DroverError('DROVER_UPGRADE_IMPOSSIBLE', { message: 'there is no daemon' })),
    lastUpgrade: () => null,
    guardPid: () => null,
    unit: null,
    // The terminal belongs to the apps, but who asked for an answer on a port must learn that there is none.
    log: (line) =>
      daemon === null || daemon.health === null ? undefined : void process.stderr.write(`drover: ${line}\n`),
  });
  const reaper = process.pid === 1 ? setInterval(() => reapOrphans(knownPids(drover)), REAP_EVERY_MS) : null;
  const watcher = watch ? watchFiles(directory, () => void reloadAll(drover)) : null;
  /** Worker → the number of the event of its last exit, for the order in which they ended. */
  const exits = new Map<string, number>();
  const unsubscribe = drover.store.events.subscribe(({ type, worker, seq }) => {
    if (type === 'worker-exited' && worker !== undefined) exits.set(worker, seq);
    // After the supervisor has taken note of what the event is about.
    setImmediate(() => {
      if (isOver(drover)) ended.resolve();
    });
  });
  const stopOn = (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const).map((signal) => {
    const stop = (): void => ended.resolve();
    process.on(signal, stop);
    return () => process.off(signal, stop);
  });
  try {
    const nowhere = { caller: null, signal: new AbortController().signal, request: null, accept: null };
    if (daemon !== null) await drover.service.configureDaemon(daemon, nowhere);
    await drover.service.start({ file: null, apps }, nowhere);
    await ended.promise;
    const code = exitCodeOf(drover, exits);
    tellLoops(drover);
    await drover.stopWorkers();
    return code;
  } finally {
    for (const off of stopOn) off();
    unsubscribe();
    watcher?.close();
    if (reaper !== null) clearInterval(reaper);
    await drover.close();
    rmSync(home, { recursive: true, force: true });
  }
};

/** The app's own output says what happened each time, not that nobody tries any more. */
const tellLoops = (drover: Drover): void => {
  for (const { holders } of drover.supervisor.apps) {
    for (const { id, state, isLooping } of holders) {
      if (!isLooping || state.lastExit === null) continue;
      process.stderr.write(
        `drover: ${id} crashed ${state.crashes.length} times, given up: it ${describeExit(state.lastExit)}\n`,
      );
    }
  }
};

/** Nobody runs any more, or those that do only come back to crash again. */
const isOver = (drover: Drover): boolean =>
  drover.supervisor.apps.every(
    (app) =>
      app.holders.length > 0 &&
      app.holders.every(({ state, isLooping }) => state.phase === 'stopped' || state.phase === 'crashed' || isLooping),
  );

const exitCodeOf = (drover: Drover, exits: ReadonlyMap<string, number>): number => {
  const ended = drover.supervisor.apps.flatMap((app) => app.holders).filter(({ state }) => state.lastExit !== null);
  const inOrder = ended.toSorted((one, other) => (exits.get(one.id) ?? 0) - (exits.get(other.id) ?? 0));
  const last = inOrder.at(-1)?.state.lastExit ?? null;
  if (last === null) return 0;
  if (last.signal !== null) return SIGNAL_BASE + (constants.signals[last.signal as NodeJS.Signals] ?? 0);
  return last.code ?? 1;
};

const knownPids = (drover: Drover): ReadonlySet<number> =>
  new Set([
    ...drover.supervisor.apps.flatMap((app) => app.liveHandles().flatMap(({ pid }) => pid ?? [])),
    ...commandPids(),
  ]);

const reloadAll = async (drover: Drover): Promise<void> => {
  for (const app of drover.supervisor.apps) {
    if (app.operation === null) await drover.supervisor.reload(app).ended;
  }
};

/** The worker writes to our own standard output and error. */
const inheritedOutput = (): Output => ({
  open: () => ({ stdoutFd: 1, stderrFd: 2, close: () => {} }),
  lastLines: () => Promise.resolve([]),
  lastWords: () => [],
});

/** Each line with the worker's id before it. */
const prefixedOutput = (): Output => ({
  open(app, slot): WorkerOutput {
    const pipes = ([process.stdout, process.stderr] as const).map((target) => {
      // A socket pair serves as a pipe: what the worker gets is the other end.
      const { daemonFd, workerFd } = openChannelPair();
      const source = new Socket({ fd: daemonFd, readable: true, writable: false });
      source.on('error', () => source.destroy());
      prefixLines(source, `${app}/${slot} | `, target);
      return workerFd;
    });
    const [stdoutFd = 1, stderrFd = 2] = pipes;
    return { stdoutFd, stderrFd, close: () => pipes.forEach((fd) => closeDescriptor(fd)) };
  },
  lastLines: () => Promise.resolve([]),
  lastWords: () => [],
});
