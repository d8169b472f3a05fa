/**
 * How a worker ended, and why, in one value. The edge gathers what the system knows (code, signal, an OOM kill); the
 * worker machine adds what only it knows (we asked for this end). Nothing here guesses: what is not known is `unknown`.
 */

import type { Exit, ExitCause } from '../protocol/index.ts';

export type { Exit, ExitCause };

/** What the edge observed about an end; `code` and `signal` are both null when nobody could tell. */
export interface ObservedExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The kernel's count of out-of-memory kills rose for this worker. */
  readonly wasOomKilled: boolean;
  readonly detail: string | null;
}

/** Why the machine itself was ending the process: `asked` by the operator, or because it could not be left alive. */
export interface Ending {
  readonly cause: 'asked' | 'start-timeout' | 'hang';
  readonly detail: string | null;
}

/** Turns an observation into an {@link Exit}, before it is known whether we wanted it. */
export const classifyExit = ({ code, signal, wasOomKilled, detail }: ObservedExit): Exit => {
  // The OOM killer sends SIGKILL; any other end beside a risen counter was a descendant's death.
  if (wasOomKilled && (signal === 'SIGKILL' || (signal === null && code === null))) {
    return { code, signal, cause: 'oom', detail };
  }
  if (signal !== null) return { code, signal, cause: 'signal', detail };
  if (code === null) return { code, signal, cause: 'unknown', detail };
  return { code, signal, cause: code === 0 ? 'clean' : 'code', detail };
};

/** The end of a worker that never had a process. */
export const failedSpawn = (reason: string): Exit => ({ code: null, signal: null, cause: 'unknown', detail: reason });

/**
 * Adds what only the machine knows. An OOM kill stays one: it is the better explanation. A process that exits by
 * itself while SIGKILL is on its way was not killed.
 */
export const explainExit = (exit: Exit, ending: Ending | null, wasKilled: boolean): Exit => {
  if (exit.cause === 'oom' || ending === null) return exit;
  if (ending.cause !== 'asked') return { ...exit, cause: ending.cause, detail: ending.detail ?? exit.detail };
  const didDieOfIt = exit.signal === 'SIGKILL' || exit.cause === 'unknown';
  return wasKilled && didDieOfIt ? { ...exit, cause: 'killed', detail: ending.detail ?? exit.detail } : exit;
};

/**
 * Whether somebody will want to know what the worker said before this end: it was not asked for, and is a failure by
 * itself, came before the worker was ever ready, or had to be brought about.
 */
export const isCrash = (exit: Exit, ending: Ending | null, hasBeenReady: boolean): boolean =>
  exit.cause === 'oom' || (ending === null ? exit.cause !== 'clean' || !hasBeenReady : ending.cause !== 'asked');

const WORDS: Readonly<Record<ExitCause, (exit: Exit) => string>> = {
  clean: () => 'exited with code 0',
  code: ({ code }) => `exited with code ${code}`,
  signal: ({ signal }) => `was ended by ${signal}`,
  oom: () => 'was killed for lack of memory',
  'start-timeout': () => 'was not ready in time',
  hang: () => 'hung',
  killed: () => 'was killed',
  unknown: () => 'ended',
};

/** A sentence fragment: `<worker> …`. */
export const describeExit = (exit: Exit): string => {
  const words = WORDS[exit.cause](exit);
  if (exit.detail !== null) return `${words}: ${exit.detail}`;
  return exit.cause === 'unknown' ? `${words} for an unknown reason` : words;
};
