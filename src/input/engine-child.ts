/**
 * The inside of an engine's process (`engine-process.ts`): takes the request from its standard input, runs the one function that
 * it was made for, and answers on descriptor 3, a JSON document a line. A watchdog thread enforces the limit on memory and
 * notices the caller's death, because the function itself may be in a loop for many seconds.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { EngineProgress } from './engine-process.ts';

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** What the error has besides: `code`, `where`. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

export type EngineAnswer =
  | { readonly kind: 'progress'; readonly progress: EngineProgress }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: SentError };

export type OnEngineProgress = (phase: string, share: number | null) => void;

interface Started {
  readonly request: unknown;
  readonly memoryLimitBytes: number;
  readonly parentPid: number;
}

const ANSWERS_FD = 3;
const BETWEEN_PROGRESS_MS = 100;

/** Runs `run` once, on the request that the process was started with, and ends the process when it is answered. */
export const serveEngine = async (
  run: (request: unknown, onProgress: OnEngineProgress) => Promise<unknown>,
): Promise<void> => {
  const { request, ...watched } = JSON.parse(readFileSync(0, 'utf8')) as Started;
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const watchdog = new Worker(new URL(`./engine-watchdog${extension}`, import.meta.url), {
    workerData: watched,
    execArgv: [],
    // It looks at two numbers; the defaults would take room for a whole program.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  watchdog.unref();
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastPhase = '';
  const onProgress: OnEngineProgress = (phase, share) => {
    const nowMs = performance.now();
    if (phase === lastPhase && nowMs - lastMs < BETWEEN_PROGRESS_MS) return;
    [lastMs, lastPhase] = [nowMs, phase];
    answer({ kind: 'progress', progress: { phase, share } });
  };
  try {
    answer({ kind: 'result', result: await run(request, onProgress) });
  } catch (error) {
    answer({ kind: 'error', error: toSent(error) });
  }
  // Nothing is left to do, and tearing down gigabytes properly takes time that somebody waits for.
  process.kill(process.pid, 'SIGKILL');
};

const answer = (value: EngineAnswer): void => {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < bytes.length;) at += writeSync(ANSWERS_FD, bytes, at);
};

const toSent = (error: unknown): SentError => {
  const known = error instanceof Error ? error : new Error(String(error));
  const fields = Object.fromEntries(
    Object.entries(known).filter(
      (field): field is [string, string | number | boolean | null] =>
        field[1] === null || ['string', 'number', 'boolean'].includes(typeof field[1]),
    ),
  );
  return { name: known.name, message: known.message, stack: known.stack ?? '', fields };
};
