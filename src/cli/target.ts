/** What targets of a command mean to the caller. */
import type { CliContext } from './context.ts';

/** True for an app or a worker, whose receipt is printed by itself; `all` may be any number of them. */
export const isOneApp = (target: string): boolean => target !== 'all';

/** The whole environment of the caller; the daemon keeps what the app inherits. */
export const callerEnv = ({ env }: CliContext): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
