/**
 * What a client does while the daemon is away. It may have died in the middle of an answer, and its guard brings it back
 * within a second; a request that it may or may not have taken is sent again, with the key that makes that harmless.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { DroverError } from '../protocol/index.ts';

/** How long a daemon may take to come back, and how often one is looked for. */
export const PATIENCE_MS = 15_000;
export const PAUSE_MS = 100;

/** Nobody answers: it is on its way back, or there is none. */
export const isGone = (error: unknown): boolean =>
  error instanceof DroverError && error.code === 'DROVER_DAEMON_UNREACHABLE';

const CUTS: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** Somebody was there, and is not any more. */
const wasCut = (error: unknown): boolean =>
  isGone(error) && CUTS.has(((error as Error).cause as NodeJS.ErrnoException | undefined)?.code);

/**
 * Asks again when the answer was cut, until the next daemon gives one. `ask` must have a key: it may arrive twice. Where
 * nobody is there in the first place, there is nobody to wait for.
 */
export const askUntilAnswered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  let cutAt: number | null = null;
  for (;;)
    try {
      return await ask();
    } catch (error) {
      const isAway = cutAt === null ? wasCut(error) : isGone(error);
      cutAt ??= performance.now();
      if (!isAway || performance.now() - cutAt > PATIENCE_MS) throw error;
      await wait(PAUSE_MS);
    }
};

/** Another one for each request of this home: no secret, so it needs no cryptography, which takes time to load. */
export const newRequestKey = (): string =>
  [process.pid, Date.now(), Math.random() * 2 ** 52].map((part) => Math.floor(part).toString(36)).join('-');
