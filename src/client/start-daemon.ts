/**
 * Starts the daemon and waits until it answers. The daemon lives in a session of its own with
 * its output in `daemon.log`, so that the terminal it was started from may close.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DroverError } from '../protocol/index.ts';
import type { DroverClient } from './client.ts';
import { isReadOnly, ownHome } from './home.ts';
import { isAnswering } from './is-answering.ts';

export interface DaemonStart {
  /** What to run with this process's Node; default: the daemon beside this file, built or as source. */
  readonly entry?: string;
  readonly timeoutMs?: number;
}

/**
 * The daemon waits far more than it computes: without V8's optimizing compilers and with a small young generation it
 * takes a quarter less memory (docs/decisions/find-my-way.md has the figures). V8's memory reducer saves nothing then
 * (0.3 MB of 67), and its collections were a fifth of the daemon's CPU time in the first seconds of traffic. Its guards
 * pass the same options on.
 */
const DAEMON_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--no-memory-reducer',
];

const POLL_MS = 10;
const LOG_LINES = 10;

/** Resolves when the daemon answers. Throws DROVER_DAEMON_START with the end of its log when it does not come up. */
export const startDaemon = async (home: string, client: DroverClient, options: DaemonStart): Promise<void> => {
  const { runtimePath } = ownHome();
  const isFixed = isReadOnly(home);
  const log = isFixed ? runtimePath('log') : join(home, 'daemon.log');
  const fail = (message: string, cause?: unknown): DroverError =>
    new DroverError('DROVER_DAEMON_START', { message, log }, { cause });
  let output: number;
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    output = openSync(log, 'a', 0o600);
  } catch (cause) {
    throw fail(`its home cannot be written: ${(cause as Error).message}`, cause);
  }
  const logStart = statSync(log).size;
  // From this room, or from the command line's bundle beside it.
  const here = fileURLToPath(import.meta.url);
  const entry = options.entry ?? join(dirname(here), `../daemon/main${extname(here)}`);
  const child = spawn(process.execPath, [...DAEMON_OPTIONS, entry], {
    cwd: home,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, DROVER_HOME: home },
  });
  closeSync(output);
  let ended: string | null = null;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  const timeoutMs = options.timeoutMs ?? 15_000;
  const deadline = performance.now() + timeoutMs;
  try {
    while (performance.now() < deadline) {
      // A daemon that ended may have lost the race against another one that was started at the same time.
      if (await isAnswering(client)) return;
      if (ended !== null) throw fail(`${String(ended)}.${readEnd(log, logStart)}`);
      await wait(POLL_MS);
    }
    throw fail(`it did not answer within ${timeoutMs / 1000} s.${readEnd(log, logStart)}`);
  } finally {
    child.removeAllListeners();
    child.unref();
  }
};

/** The last lines that this start has written, indented under the message. */
const readEnd = (log: string, from: number): string => {
  const lines = readFileSync(log).subarray(from).toString('utf8').trimEnd().split('\n').slice(-LOG_LINES);
  return lines.join('') === '' ? '' : ['', ...lines].join('\n  ');
};
