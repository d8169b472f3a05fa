/**
 * Tests lines against a user's regular expression. One such as `(a+)+$` can take years over a line, and nothing in
 * JavaScript stops it from within, so expressions that could backtrack run in a worker thread that is ended when a
 * batch takes longer than {@link BUDGET_MS}. Plain words, the usual case, are tested on the spot: no thread, no memory.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DroverError } from '../protocol/index.ts';

export const BUDGET_MS = 2_000;
/** Without repetition, choice, group or escape the work is at most (line × expression) steps. */
const PLAIN = /^[^*+?{}()[\]|\\]*$/;

export interface Grep {
  /** For each line, whether it matches. Throws `DROVER_TIMEOUT` where that takes too long; one call at a time. */
  test(lines: readonly string[]): Promise<readonly boolean[]>;
  close(): Promise<void>;
}

export function openGrep(expression: RegExp, budgetMs: number = BUDGET_MS): Grep {
  // `g` and `y` would make a match depend on the one before.
  const flags = expression.flags.replaceAll(/[gy]/g, '');
  if (PLAIN.test(expression.source)) {
    const plain = new RegExp(expression.source, flags);
    return { test: async (lines) => lines.map((line) => plain.test(line)), close: async () => {} };
  }
  return openGrepThread(expression.source, flags, budgetMs);
}

function openGrepThread(source: string, flags: string, budgetMs: number): Grep {
  let thread: Worker | null = null;
  const start = async (): Promise<Worker> => {
    const worker = new Worker(new URL(`./grep-thread${import.meta.url.slice(-3)}`, import.meta.url), {
      workerData: { source, flags },
      resourceLimits: { maxOldGenerationSizeMb: 64 },
      // None of the daemon's own (`--require`, memory limits): the thread needs nothing.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    await once(worker, 'message');
    return worker;
  };
  const stop = async (): Promise<void> => {
    const ending = thread;
    thread = null;
    await ending?.terminate();
  };
  return {
    async test(lines) {
      if (lines.length === 0) return [];
      thread ??= await start();
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), budgetMs);
      try {
        const answer = once(thread, 'message', { signal: late.signal });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        thread.postMessage(lines);
        return ((await answer) as [readonly boolean[]])[0];
      } catch (cause) {
        await stop();
        if (!late.signal.aborted) throw cause;
        const what = `Matching /${source}/`;
        throw new DroverError('DROVER_TIMEOUT', { what, limit: `${budgetMs / 1_000} s` }, { cause });
      } finally {
        clearTimeout(timer);
      }
    },
    close: stop,
  };
}
