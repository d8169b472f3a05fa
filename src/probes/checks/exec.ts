/**
 * A command, run as the worker's user in its surroundings: exit code 0 passes. It has a session, and so a process group,
 * of its own, of which nothing outlives the attempt. What it prints is kept up to 10 KiB for the error; one that prints
 * more than a MiB is not read any further and waits for its end: an answer is short.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Excerpt, failed, missing, passed, withinOf } from '../answers.ts';
import type { CheckAnswer, CommandQuestion } from '../edges.ts';

/** What is read, and thrown away, beyond the excerpt. */
const PATIENCE_BYTES = 1024 * 1024;
/** Codes of `spawn` that say that this machine has no room for one more process. */
const OURS = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Children that Node waits for, for whoever else waits for processes. */
const underWay = new Set<number>();
export const commandPids = (): ReadonlySet<number> => underWay;

export const execCheck = ({ argv, surroundings }: CommandQuestion, signal: AbortSignal): Promise<CheckAnswer> =>
  new Promise((resolve) => {
    const [file, ...args] = argv;
    const { cwd, env, uid, gid } = surroundings;
    let child: ChildProcess;
    try {
      child = spawn(file, args, {
        cwd,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(uid === null ? {} : { uid }),
        ...(gid === null ? {} : { gid }),
      });
    } catch (error) {
      return resolve(notStarted(file, error as NodeJS.ErrnoException));
    }
    const { pid } = child;
    if (pid !== undefined) underWay.add(pid);
    const output = readOutput(child);
    let within: string | null = null;
    const kill = (): void => {
      within = withinOf(signal);
      endGroup(pid);
    };
    const end = (answer: CheckAnswer): void => {
      signal.removeEventListener('abort', kill);
      // What it started and left may hold the other ends of the pipes for as long as it likes.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(answer);
    };
    child.once('error', (error) => end(notStarted(file, error)));
    child.once('exit', (code, killedBy) => {
      if (pid !== undefined) underWay.delete(pid);
      // As long as somebody of the group lives, the system gives its number to nobody else.
      endGroup(pid);
      // What it printed is read by now: libuv looks at its signals after everything else that one poll has brought.
      end(judge({ code, killedBy, within, output }));
    });
    if (signal.aborted) kill();
    else signal.addEventListener('abort', kill);
  });

interface Output {
  readonly excerpt: Excerpt;
  bytes: number;
}

const readOutput = (child: ChildProcess): Output => {
  const output: Output = { excerpt: new Excerpt(), bytes: 0 };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('error', () => undefined);
    stream?.on('data', (chunk: Buffer) => {
      output.excerpt.add(chunk);
      output.bytes += chunk.length;
      if (output.bytes > PATIENCE_BYTES) stream.pause();
    });
  }
  return output;
};

const judge = ({
  code,
  killedBy,
  within,
  output,
}: {
  readonly code: number | null;
  readonly killedBy: string | null;
  /** Where it was killed for its time. */
  readonly within: string | null;
  readonly output: Output;
}): CheckAnswer => {
  if (code === 0 && within === null) return passed();
  const said = output.excerpt.text.trim();
  const words = said === '' ? '' : `: ${said}`;
  if (within !== null && output.bytes > PATIENCE_BYTES) return failed(`the command printed more than a MiB${words}`);
  if (within !== null) return failed(`the command did not end ${within}${words}`);
  return failed(`the command ended with ${killedBy ?? `code ${code}`}${words}`);
};

const notStarted = (file: string, { code = '', message }: NodeJS.ErrnoException): CheckAnswer => {
  if (OURS.has(code)) return missing(`the command could not be started: ${message}`);
  // Node names the file for a working directory that is missing as well.
  if (code === 'ENOENT')
    return failed(`the command could not be started: ${file}, or its working directory, is missing`);
  return failed(`the command could not be started: ${message}`);
};

const endGroup = (pid: number | undefined): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
};
