/**
 * One run of a receiver that is a command: the alert on its standard input, a few variables, a limit of time, after which it
 * and all that it started is killed. What it prints is read, so that it never waits for us, and the beginning is kept.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { descendants } from '../os/index.ts';
import { boundedText, type Outcome } from './outcome.ts';

export interface CommandRequest {
  readonly argv: readonly [string, ...string[]];
  /** Written to its standard input as JSON. */
  readonly input: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Of the daemon's environment, whose other variables (options of Node, sockets of systemd) are not for others. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_RUNTIME_DIR'];

export const inheritedOf = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Its output may come after its end; what it has started in the background keeps the pipe open for as long as it likes. */
const OUTPUT_GRACE_MS = 200;
/** Where the shell, or `execve`, found no such program (POSIX, 2.8.2): another attempt finds none either. */
const NOT_RUN = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'E2BIG']);

/** Never rejects, but for a `signal` that was aborted. */
export const runCommand = async (request: CommandRequest): Promise<Outcome> => {
  request.signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const [program, ...args] = request.argv;
  let child: ChildProcessWithoutNullStreams;
  try {
    // A session of its own, by which all that belongs to it is found.
    child = spawn(program, args, { cwd: '/', env: request.env, detached: true, stdio: 'pipe' });
  } catch (error) {
    // Words that no command line can have, such as a zero byte.
    return { kind: 'refused', problem: `could not be started: ${(error as Error).message}`, answer: '' };
  }
  const output = boundedText();
  const failed = (problem: string): void =>
    resolve({ kind: 'failed', problem, answer: output.text, retryAfterMs: null });
  const timer = setTimeout(() => {
    killTree(child);
    failed(`was not done within ${request.timeoutMs} ms and was killed`);
  }, request.timeoutMs);
  const abort = (): void => {
    killTree(child);
    reject(request.signal.reason as Error);
  };
  request.signal.addEventListener('abort', abort, { once: true });
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
  // One that reads nothing of it closes the pipe, which is no failure.
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(request.input)}\n`);
  child.once('error', (error: NodeJS.ErrnoException) => {
    if (child.pid !== undefined) return;
    const kind = NOT_RUN.has(error.code ?? '') ? 'refused' : 'failed';
    resolve({ kind, problem: `could not be started: ${error.message}`, answer: '', retryAfterMs: null });
  });
  child.once('exit', (code, signal) => {
    clearTimeout(timer);
    const tell = (): void => {
      if (code === 0) resolve({ kind: 'taken', answer: output.text });
      else failed(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    };
    const grace = setTimeout(tell, OUTPUT_GRACE_MS);
    child.once('close', () => {
      clearTimeout(grace);
      tell();
    });
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', abort);
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
    child.unref();
  }
};

/** Whoever left the session and whose parent is gone is not found: it took care not to be. */
function killTree({ pid: leader, exitCode, signalCode }: ChildProcessWithoutNullStreams): void {
  // Its pid may belong to somebody else by now.
  if (leader === undefined || exitCode !== null || signalCode !== null) return;
  // It is not awaited in between, so that the pid stays its own; what was started meanwhile is found by the session.
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    for (const pid of descendants(leader, NO_MARK)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went away meanwhile, which is what was wanted.
      }
    }
  }
}

const KILL_ROUNDS = 2;
/** No process has it: commands are found by their session and their parents. */
const NO_MARK = '-';
