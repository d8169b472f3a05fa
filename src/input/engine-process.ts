/**
 * Runs the analysis of a file in a process of its own, so that its memory has a limit, and that it can be ended at any
 * moment, in the middle of a loop too. The child is `engine-child.ts` around one function; this is the caller's side.
 * Whatever happens here, the child is gone when the promise settles; when the caller itself is killed, the child's
 * watchdog ends it.
 */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { EngineAnswer, SentError } from './engine-child.ts';
import { BadFile } from './bad-file.ts';

export interface EngineRun {
  /** The module that calls `serveEngine`. */
  readonly entry: URL;
  /** Plain JSON. */
  readonly request: unknown;
  /** Of resident memory, whatever it is used for; see `defaultMemoryLimitBytes`. */
  readonly memoryLimitBytes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EngineProgress) => void;
}

export interface EngineProgress {
  /** What is being done, as words: `reading a.heapsnapshot`. */
  readonly phase: string;
  /** 0 to 1 within the phase; null where it cannot be told. */
  readonly share: number | null;
}

/** The child did not answer: it needed more memory than it may have, or it crashed. */
export class EngineFailure extends Error {
  override readonly name = 'EngineFailure';
  readonly kind: 'memory' | 'crashed';

  constructor(kind: EngineFailure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

const MIB = 1024 * 1024;
const SMALLEST_LIMIT_BYTES = 128 * MIB;
/** Of its last words, which are all that a crash leaves. */
const LONGEST_STDERR = 16 * 1024;

/** Four fifths of the memory that is free (in the container, where there is one), at least 128 MiB. Bytes. */
export const defaultMemoryLimitBytes = (): number =>
  Math.max(SMALLEST_LIMIT_BYTES, Math.floor(process.availableMemory() * 0.8));

/**
 * Starts the child, waits for its answer, and returns it. Rejects with what the child threw (`BadFile`, errors of the file
 * system with their `code`, others by name), with `EngineFailure`, or with the reason of `signal`.
 */
export const runEngine = async <Result>(run: EngineRun): Promise<Result> => {
  const { entry, request, memoryLimitBytes, signal, onProgress } = run;
  signal?.throwIfAborted();
  const limitMib = Math.max(32, Math.floor(memoryLimitBytes / MIB));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${limitMib}`, fileURLToPath(entry)],
    // What the caller's Node was told (an inspector, a preload) is not meant for the engine.
    { stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const end = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', end, { once: true });
  const stdin = child.stdin as Writable;
  // A child that ends before it has read its request says so by its exit.
  stdin.on('error', () => undefined);
  stdin.end(JSON.stringify({ request, memoryLimitBytes, parentPid: process.pid }));
  const answers: Exclude<EngineAnswer, { readonly kind: 'progress' }>[] = [];
  try {
    const stderr = readTail(child.stderr as Readable);
    const watchdog = readTail(child.stdio[4] as Readable);
    const reading = readAnswers(child.stdio[3] as Readable, (answer) => {
      if (answer.kind === 'progress') onProgress?.(answer.progress);
      else answers.push(answer);
    });
    const exit = await new Promise<{ code: number | null; killedBy: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => {
        resolve({ code, killedBy });
      });
    });
    await reading;
    signal?.throwIfAborted();
    const [answer] = answers;
    if (answer?.kind === 'result') return answer.result as Result;
    if (answer?.kind === 'error') throw toError(answer.error);
    throw toFailure(exit, await stderr, await watchdog);
  } finally {
    signal?.removeEventListener('abort', end);
    if (child.exitCode === null && child.signalCode === null) end();
  }
};

const readAnswers = async (pipe: Readable, take: (answer: EngineAnswer) => void): Promise<void> => {
  pipe.setEncoding('utf8');
  let parts: string[] = [];
  for await (const chunk of pipe as AsyncIterable<string>) {
    const lines = chunk.split('\n');
    for (const line of lines.slice(0, -1)) {
      parts.push(line);
      take(JSON.parse(parts.join('')) as EngineAnswer);
      parts = [];
    }
    parts.push(lines.at(-1) ?? '');
  }
};

const readTail = async (pipe: Readable): Promise<string> => {
  pipe.setEncoding('utf8');
  let text = '';
  for await (const chunk of pipe as AsyncIterable<string>) text = `${text}${chunk}`.slice(-LONGEST_STDERR);
  return text;
};

const toFailure = (
  { code, killedBy }: { code: number | null; killedBy: NodeJS.Signals | null },
  stderr: string,
  watchdog: string,
): EngineFailure => {
  if (watchdog !== '') return new EngineFailure('memory', watchdog);
  if (stderr.includes('heap out of memory')) return new EngineFailure('memory', 'its JavaScript heap was full');
  // Nobody here kills it without asking first, so it was the kernel, which does that when memory is short.
  if (killedBy === 'SIGKILL')
    return new EngineFailure('memory', 'the system ended it, as it does when memory is short');
  const how = killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`;
  return new EngineFailure('crashed', `the analysis ${how}${stderr === '' ? '' : `:\n${stderr.trimEnd()}`}`);
};

const toError = ({ name, message, stack, fields }: SentError): Error => {
  if (name === 'BadFile') {
    const { file, where, what } = fields;
    return new BadFile({ file: String(file), where: where === null ? null : String(where), what: String(what) });
  }
  if (name === 'RangeError' && message.includes('allocation failed'))
    return new EngineFailure('memory', 'the system gave no more memory');
  return Object.assign(new Error(message), fields, { name, stack });
};
