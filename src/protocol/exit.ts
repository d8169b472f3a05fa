/** How a worker ended. */

export type ExitCause = 'clean' | 'code' | 'signal' | 'oom' | 'start-timeout' | 'hang' | 'killed' | 'unknown';

export interface Exit {
  readonly code: number | null;
  /** Signal name, such as `SIGKILL`. */
  readonly signal: string | null;
  readonly cause: ExitCause;
  /** In words, for people; null when the other fields say it all. */
  readonly detail: string | null;
}
