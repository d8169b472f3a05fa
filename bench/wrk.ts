/**
 * `wrk` as the load where throughput is measured: it takes so little of the two cores that the servers are what is
 * busy. Counts answers and errors, not which request was lost: that is what `test/support/load` is for.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const runFile = promisify(execFile);

/** What has to be installed for it. */
export const WRK = { command: 'wrk', debian: 'wrk' } as const;

export interface WrkWish {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** `new`: each request asks the server to close, so that the next one needs a connection of its own. */
  readonly mode: 'kept' | 'new';
}

export interface WrkReport {
  readonly answered: number;
  readonly seconds: number;
  /** Failed connects, reads and writes, timeouts, and answers that were not 2xx or 3xx. */
  readonly errors: number;
}

export async function runWrk({ port, connections, seconds, mode }: WrkWish): Promise<WrkReport> {
  const headers = mode === 'new' ? ['-H', 'Connection: close'] : [];
  const url = `http://127.0.0.1:${port}/`;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, ...headers, url];
  return parseWrk((await runFile('wrk', args)).stdout);
}

/** Throws when this is not the summary of `wrk`. */
export function parseWrk(text: string): WrkReport {
  const total = /^\s*(\d+) requests in ([\d.]+)(ms|s|m),/m.exec(text);
  if (total === null) throw new Error(`wrk said something else:\n${text}`);
  const [, answered, duration, unit] = total;
  const socketErrors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? '0';
  const perUnit = { ms: 0.001, s: 1, m: 60 }[unit as 'ms' | 's' | 'm'];
  return {
    answered: Number(answered),
    seconds: Number(duration) * perUnit,
    errors: [...socketErrors, refused].reduce((sum, count) => sum + Number(count), 0),
  };
}
