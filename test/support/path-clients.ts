/**
 * Clients of a Unix path that never pause: each makes a new connection as soon as it has its answer, or has failed. They
 * count what became of each, and for how long they could not get through.
 */
import { request } from 'node:http';
import { eventually } from './eventually.ts';

export interface PathReport {
  readonly answered: number;
  /** By the code of the error. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the first failure of a client to its next answer. */
  readonly longestGapMs: number;
  /** Bodies of the answers: pids, with most apps. */
  readonly bodies: ReadonlySet<string>;
}

/** Stopped at the end of the block as well. */
export interface PathClients extends AsyncDisposable {
  readonly answered: number;
  /** Resolves once so many more requests were answered. */
  untilAnswered(more: number): Promise<void>;
  stop(): Promise<PathReport>;
}

export function startPathClients(path: string, count = 2): PathClients {
  let answered = 0;
  let longestGapMs = 0;
  const stopping = new AbortController();
  const failures: Record<string, number> = {};
  const bodies = new Set<string>();
  const run = async (): Promise<void> => {
    let failedAt: number | null = null;
    while (!stopping.signal.aborted) {
      try {
        bodies.add(await askOnce(path));
        answered += 1;
        if (failedAt !== null) longestGapMs = Math.max(longestGapMs, performance.now() - failedAt);
        failedAt = null;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        failures[code] = (failures[code] ?? 0) + 1;
        failedAt ??= performance.now();
        // A path that is away fails at once: without a turn of the loop nothing else would be done here.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (failedAt !== null) longestGapMs = Infinity;
  };
  const running = Array.from({ length: count }, run);
  const stop = async (): Promise<PathReport> => {
    stopping.abort();
    await Promise.all(running);
    return { answered, failures, longestGapMs, bodies };
  };
  return {
    get answered() {
      return answered;
    },
    async untilAnswered(more) {
      const wanted = answered + more;
      await eventually(`${more} more answers at ${path}`, () => answered >= wanted, { withinMs: 20_000 });
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

const askOnce = async (socketPath: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, agent: false, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.end();
  });
