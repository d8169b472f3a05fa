/**
 * Starts the daemon and waits until it answers: from its copy under the home, and where a new version does not come up,
 * from the one before (`program/decide.ts`). The daemon lives in a session of its own with its output in `daemon.log`, so
 * that the terminal it was started from may close.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { commandOf, decide, installedProgram, type Decision, type Program } from '../program/index.ts';
import { DroverError } from '../protocol/index.ts';
import { readBootUnit } from './boot-unit.ts';
import type { ClientOptions, DroverClient } from './client.ts';
import { isReadOnly, ownHome } from './home.ts';
import { isAnswering } from './is-answering.ts';
import { startBootUnit } from './start-boot-unit.ts';

export interface DaemonStart {
  /** What to run with this process's Node, as it is; default: this Drover's daemon, from its copy under the home. */
  readonly entry?: string;
  readonly timeoutMs?: number;
}

/**
 * What a service manager tells the process that it started. A shell of a CI runner may have it too, and a daemon started
 * from there is nobody's service.
 */
const SERVICE_VARIABLES = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'FDSTORE',
  'SYSTEMD_EXEC_PID',
  'DROVER_UNIT',
]);
const withoutServiceVariables = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !SERVICE_VARIABLES.has(name)));

const POLL_MS = 10;
const LOG_LINES = 10;
const MOST_BYTES = 64 * 1024;
/** Twice what the daemon leaves in its log. */
const MOST_BYTES_KEPT = 20 * 1024 ** 2;
const STAT_BLOCK_BYTES = 512;

interface Attempt {
  readonly home: string;
  readonly client: DroverClient;
  readonly log: string;
  readonly timeoutMs: number;
  readonly fail: (message: string, cause?: unknown) => DroverError;
}

/**
 * Resolves when the daemon answers. Throws DROVER_DAEMON_START with the end of its log when it does not come up, and
 * DROVER_DOWNGRADE.
 */
export const startDaemon = async (
  home: string,
  client: DroverClient,
  options: DaemonStart & Pick<ClientOptions, 'onNotice'>,
): Promise<void> => {
  const { runtimePath } = ownHome();
  const isFixed = isReadOnly(home);
  const log = isFixed ? runtimePath('log') : join(home, 'daemon.log');
  const fail = (message: string, cause?: unknown): DroverError =>
    new DroverError('DROVER_DAEMON_START', { message, log }, { cause });
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    setAside(log);
    closeSync(openSync(log, 'a', 0o600));
  } catch (cause) {
    throw fail(`its home cannot be written: ${(cause as Error).message}`, cause);
  }
  const timeoutMs = options.timeoutMs ?? 15_000;
  const unit = readBootUnit(home);
  // Where systemd does not start it (a container with a copied home), the reason is best told by a start of our own.
  if (unit !== null && (await startBootUnit(unit, timeoutMs)) && (await isAnswering(client))) return;
  const attempt: Attempt = { home, client, log, timeoutMs, fail };
  const { program, over, inPlace, note } = await decided(home, options);
  if (note !== null) options.onNotice?.(`${note}.`);
  if (over === null) return launch(program, { inPlace, isTried: false }, attempt);
  try {
    await launch(program, { inPlace, isTried: true }, attempt);
  } catch (error) {
    options.onNotice?.(
      `Drover ${program.version} did not come up, ${over.version} goes on: ${(error as Error).message}`,
    );
    await launch(over, { inPlace: null, isTried: false }, attempt);
  }
};

const decided = async (home: string, { entry }: DaemonStart): Promise<Decision> => {
  if (entry === undefined) {
    return decide({ home, stateFile: join(home, 'state.db'), isRecovery: false, nowMs: Date.now() });
  }
  return { program: { ...installedProgram(), main: entry }, over: null, inPlace: null, note: null };
};

/** Resolves when it answers; one that does not in time is ended, where it is tried in the place of another. */
const launch = async (
  program: Program,
  { inPlace, isTried }: { readonly inPlace: string | null; readonly isTried: boolean },
  { home, client, log, timeoutMs, fail }: Attempt,
): Promise<void> => {
  const output = openSync(log, 'a', 0o600);
  const logStart = statSync(log).size;
  const [file, ...args] = commandOf(program);
  const child = spawn(file, args, {
    cwd: home,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...withoutServiceVariables(process.env),
      DROVER_HOME: home,
      ...(inPlace === null ? {} : { DROVER_IN_PLACE: inPlace }),
    },
  });
  closeSync(output);
  let ended: string | null = null;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  const deadline = performance.now() + timeoutMs;
  try {
    while (performance.now() < deadline) {
      // A daemon that ended may have lost the race against another one that was started at the same time.
      if (await isAnswering(client)) return;
      if (ended !== null) throw fail(`${String(ended)}.${readEnd(log, logStart)}`);
      await wait(POLL_MS);
    }
    // It may hold what the one in whose place it is tried needs.
    if (isTried) child.kill('SIGKILL');
    throw fail(`it did not answer within ${timeoutMs / 1000} s.${readEnd(log, logStart)}`);
  } finally {
    child.removeAllListeners();
    child.unref();
  }
};

/** The last lines that this start has written, indented under the message. */
const readEnd = (log: string, from: number): string => {
  const lines = readFrom(log, from).trimEnd().split('\n').slice(-LOG_LINES);
  return lines.join('') === '' ? '' : ['', ...lines].join('\n  ');
};

/** What was appended since; what is before may be a hole of gigabytes, after rotation in place. */
const readFrom = (log: string, from: number): string => {
  const bytes = Buffer.alloc(Math.min(MOST_BYTES, statSync(log).size - from));
  const fd = openSync(log, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
};

/**
 * The daemon rotates its log in place. Where the file system cannot do that it has grown, and this, before a daemon has
 * it open, is the moment to begin a new one.
 */
const setAside = (log: string): void => {
  const stat = statSync(log, { throwIfNoEntry: false });
  if (stat !== undefined && stat.blocks * STAT_BLOCK_BYTES > MOST_BYTES_KEPT) renameSync(log, `${log}.old`);
};
