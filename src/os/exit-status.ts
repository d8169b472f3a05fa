/** What `waitpid` says of an end, in words. */
import { constants } from 'node:os';

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

export function decodeWaitStatus(status: number): ExitStatus {
  const number = status & 0x7f;
  if (number === 0) return { code: (status >> 8) & 0xff, signal: null };
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { code: null, signal: name ?? `SIG${number}` };
}
