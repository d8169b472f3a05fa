/** Why a worker does not get the place it asked to listen on, as the kernel would have told it. */
import { isOsError } from '../os/index.ts';
import { DroverError, type DaemonMessage } from '../protocol/index.ts';

type Code = Extract<DaemonMessage, { type: 'refuse' }>['code'];

export interface ListenRefusal {
  readonly code: Code;
  readonly errno: number;
}

const ERRNO: Readonly<Record<Code, number>> = {
  EADDRINUSE: -98,
  EACCES: -13,
  EADDRNOTAVAIL: -99,
  EINVAL: -22,
  EMFILE: -24,
};

/** Of one worker, and ports of one app: each costs the daemon descriptors, and a loop in an app must not take them all. */
export const MOST_SERVERS = 256;

export class TooManyServers extends Error {
  constructor(who: string) {
    super(`${who} in ${MOST_SERVERS} places already`);
  }
}

export const refusalOf = (error: unknown): ListenRefusal => {
  const code = codeOf(error);
  return { code, errno: ERRNO[code] };
};

/** Somebody else listens there. */
export const isTaken = (error: unknown): boolean => error instanceof DroverError && error.code === 'DROVER_PORT_TAKEN';

const codeOf = (error: unknown): Code => {
  if (isTaken(error)) return 'EADDRINUSE';
  if (error instanceof TooManyServers) return 'EMFILE';
  if (isOsError(error) && error.code in ERRNO) return error.code as Code;
  return 'EINVAL';
};
