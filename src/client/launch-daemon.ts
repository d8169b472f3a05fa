/**
 * Starts one program as the daemon of a home and waits until a daemon answers. It lives in a session of its own with its
 * output in `daemon.log`, so that the terminal it was started from may close.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { commandOf, DAEMON_ENVIRONMENT, type Program } from '../program/index.ts';
import type { DroverError } from '../protocol/index.ts';
import type { DroverClient } from './client.ts';
import { findAnswering } from './is-answering.ts';

export interface Launch {
  readonly home: string;
  readonly client: DroverClient;
  readonly log: string;
  readonly timeoutMs: number;
  readonly fail: (message: string) => DroverError;
  /** Told the pid of what was started, at once. */
  readonly onStarted: (pid: number) => void;
}

export interface LaunchOptions {
  /** Why it runs from where it is installed; null: it does not. */
  readonly inPlace: string | null;
  /** It is ended where it does not answer in time: what comes in its place needs what it holds. */
  readonly endsLate: boolean;
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
/**
 * What the caller's Node is to load or to be: an editor's debugger, a tracer. The daemon and every one that follows it would
 * load it too, for as long as they are brought back, and fail once the file is gone. Apps have it from their caller.
 */
const NODE_VARIABLES = new Set(['NODE_OPTIONS', 'NODE_PATH', 'NODE_V8_COVERAGE', 'VSCODE_INSPECTOR_OPTIONS']);
const withoutForeign = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !SERVICE_VARIABLES.has(name) && !NODE_VARIABLES.has(name)));

const POLL_MS = 10;
const LOG_LINES = 10;
const MOST_BYTES = 64 * 1024;

/** Resolves when a daemon answers, and says whether it is the one that was started here. Throws what `fail` makes. */
export const launchDaemon = async (
  program: Program,
  { inPlace, endsLate }: LaunchOptions,
  { home, client, log, timeoutMs, fail, onStarted }: Launch,
): Promise<'serves' | 'another-serves'> => {
  const output = openSync(log, 'a', 0o600);
  const logStart = statSync(log).size;
  const [file, ...args] = commandOf(program);
  const child = spawn(file, args, {
    cwd: home,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...withoutForeign(process.env),
      ...DAEMON_ENVIRONMENT,
      DROVER_HOME: home,
      ...(inPlace === null ? {} : { DROVER_IN_PLACE: inPlace }),
    },
  });
  closeSync(output);
  if (child.pid !== undefined) onStarted(child.pid);
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
      // One that ended may have lost the race against a daemon that its guard brought back.
      const answering = await findAnswering(client);
      if (answering !== null) return answering.pid === child.pid ? 'serves' : 'another-serves';
      if (ended !== null) throw fail(`${String(ended)}.${readEnd(log, logStart)}`);
      await wait(POLL_MS);
    }
    if (endsLate) child.kill('SIGKILL');
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
