/** How long an operation may be without progress: a backstop for what nobody foresaw, not a limit that is ever felt. */
import type { AppConfig } from '../protocol/index.ts';

/** Between the end of patience with a worker and SIGKILL. */
export const KILL_AFTER_MS = 5000;
/** Starts in a row that fail before a first start is called failed; the slot is still retried. */
export const FAILED_STARTS_TO_FAIL = 3;

/** The longest time that one step of an operation can take when everything goes as badly as it may. */
export const patienceMs = ({ ready, restart, drain }: AppConfig): number =>
  FAILED_STARTS_TO_FAIL * (ready.timeoutMs + KILL_AFTER_MS + restart.backoff.maxMs) +
  drain.timeoutMs +
  2 * KILL_AFTER_MS;
