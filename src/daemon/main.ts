/**
 * The daemon: one process per home. Opens everything, takes back what an earlier daemon left, serves the API, and ends
 * on SIGTERM or when asked to. Started by the CLI, by a guard, or by systemd.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serveApi } from '../api/index.ts';
import { createClient, isAnswering, isReadOnly, ownHome } from '../client/index.ts';
import { peerOf } from '../os/index.ts';
import { DroverError, type Clock, type DispatchLevel } from '../protocol/index.ts';
import { compose } from './compose.ts';
import { openGuard, type Guard, type KeptDescriptor } from './guard.ts';
import { takeInheritance } from './inheritance.ts';

const systemClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

const STATE_FILE = 'state.db';

/** Between daemons that die one after the other. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

const log = (line: string): void => {
  try {
    writeSync(process.stderr.fd, `${new Date().toISOString()} ${line}\n`);
  } catch {
    // The disk is full, or nobody reads: what it is about goes on, and is in the events.
  }
};

const main = async (): Promise<void> => {
  const { home, servePath: socketPath, usualPath } = ownHome();
  const inherited = takeInheritance(process.env);
  const pidFile = join(home, 'daemon.pid');
  let isEnding = false;
  let hasServed = false;
  let kept: () => readonly KeptDescriptor[] = () => inherited.all;
  const guardOptions = {
    command: [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)],
    env: stringsOf(process.env),
    list: () => kept(),
    hasServed: () => hasServed,
    deaths: inherited.deaths,
  };
  // A daemon that was brought back has something to lose from its first moment on; a new one only once it is up.
  let guard: Guard | null = inherited.isRecovery ? openGuard(guardOptions) : null;

  // The guard that keeps everything is there already: a daemon that dies at its start may take its time to try again.
  if (inherited.deaths > 0) await wait(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (inherited.deaths - 1)));

  await refuseSecond({ home, pidFile, guard });
  const drover = await openOrExplain(
    { home, pidFile, guard },
    {
      home,
      stateFile: join(home, STATE_FILE),
      clock: systemClock,
      inherited,
      keepsWorkers: true,
      level: forcedLevel(process.env['DROVER_DISPATCH']),
      onDescriptorsChanged: () => guard?.refresh(),
      onShutdown: (keepWorkers) => setImmediate(() => void end(keepWorkers)),
      guardPid: () => guard?.pid ?? null,
      log,
    },
  );
  notePid(pidFile);
  kept = () => drover.kept();
  guard ??= openGuard(guardOptions);
  drover.store.events.append({
    app: null,
    type: inherited.isRecovery ? 'daemon-recovered' : 'daemon-started',
    reason: inherited.isRecovery ? 'the guard brought it back' : null,
    data: { pid: process.pid },
  });
  await drover.recover();
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  const api = await serveApi({
    service: drover.service,
    socketPath,
    callerOf: peerOf,
    notice: drover.notice,
    onDefect: (error) => log(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
  if (socketPath !== usualPath) {
    // One that a daemon before left in the home; commands look there first once that can be written.
    drover.store.events.subscribe(({ type }) => {
      if (type === 'state-written') rmSync(usualPath, { force: true });
    });
  }
  hasServed = true;
  guard.refresh();
  log(`daemon ${process.pid} serves ${home}`);

  const end = async (keepWorkers: boolean): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    log(`ending, workers ${keepWorkers ? 'stay' : 'stop'}`);
    drover.store.events.append({ app: null, type: 'daemon-stopping', reason: keepWorkers ? 'workers stay' : null });
    try {
      await guard?.dismiss();
      if (!keepWorkers) await drover.stopWorkers();
      await api.close();
      await drover.close();
      removePid(pidFile);
      process.exit(0);
    } catch (error) {
      // Whatever went wrong, who asked for the end must not wait for ever; workers that are left are adopted next time.
      log(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(false));
  // The terminal that started us may close.
  process.on('SIGHUP', () => {});
  process.on('uncaughtException', (error) => log(`defect: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (error) => log(`defect: ${String(error)}`));
};

interface Beginning {
  readonly home: string;
  readonly pidFile: string;
  readonly guard: Guard | null;
}

/** Where the lock of the state keeps no two of them apart: it cannot be taken, or its file was removed under the first one. */
const refuseSecond = async ({ home, guard }: Beginning): Promise<void> => {
  if (!isReadOnly(home) && existsSync(join(home, STATE_FILE))) return;
  const client = createClient();
  if (!(await isAnswering(client))) return;
  await guard?.dismiss();
  throw new DroverError('DROVER_DAEMON_RUNNING', { home, pid: (await client.daemonStatus()).pid });
};

const openOrExplain = async (
  { home, pidFile, guard }: Beginning,
  options: Parameters<typeof compose>[0],
): ReturnType<typeof compose> => {
  try {
    return await compose(options);
  } catch (error) {
    const pid = readPid(pidFile);
    if (!(error instanceof DroverError) || error.code !== 'DROVER_STATE_UNREADABLE' || pid === null) throw error;
    // Another daemon has the home: what we inherited is not needed, and nobody is to try again.
    await guard?.dismiss();
    throw new DroverError('DROVER_DAEMON_RUNNING', { home, pid }, { cause: error });
  }
};

/** It only names the daemon to a second one; a disk that does not take it is told of elsewhere. */
const notePid = (file: string): void => {
  try {
    writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    log(`its pid cannot be written down: ${messageOf(error)}`);
  }
};

const removePid = (file: string): void => {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    log(`${file} stays: ${messageOf(error)}`);
  }
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The pid in the file, if that process lives. */
const readPid = (file: string): number | null => {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    process.kill(pid, 0);
    return pid === process.pid ? null : pid;
  } catch {
    return null;
  }
};

const forcedLevel = (text: string | undefined): DispatchLevel | null =>
  text === 'exact' || text === 'classic' || text === 'shared' ? text : null;

const stringsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

try {
  await main();
} catch (error) {
  log(error instanceof DroverError ? error.message : `the daemon did not start: ${String(error)}`);
  process.exit(error instanceof DroverError ? error.exitCode : 1);
}
