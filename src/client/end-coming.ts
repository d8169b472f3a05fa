/**
 * Stopping a daemon that answers nobody because it is only coming back. Mostly that takes a moment, and then it can be
 * asked. One that cannot start tries again and again, with long pauses: that one is told by a signal.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { listDaemons } from '../program/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { DroverClient } from './client.ts';
import { findHome } from './home.ts';
import { isAnswering } from './is-answering.ts';

const POLL_MS = 50;
/**
 * In a row. A process that is about to become another program, as a guard that becomes the daemon, shows neither its words nor its
 * environment, for longer than one look at it lasts where others have the processor.
 */
const LOOKS_IN_VAIN = 4;
/** Longer than a start takes; before, a signal could meet a program that does not hear any yet. */
const SIGNAL_AFTER_MS = 5_000;
/** Longer than the longest pause between two tries (`daemon/main.ts`). */
const PATIENCE_MS = 60_000;

/** `answers`: it is back, and can be asked. `ended`: it was ended. `absent`: nothing was to be waited for. */
export type ComingEnd = 'answers' | 'ended' | 'absent';

/**
 * `keepsWorkers`: a signal would end them, so it is only waited for. Throws DROVER_TIMEOUT where it neither comes nor goes,
 * and what asking it throws.
 */
export const endComing = async (
  client: DroverClient,
  home: string,
  keepsWorkers: boolean,
  look: typeof listDaemons = listDaemons,
): Promise<ComingEnd> => {
  const uid = process.getuid?.() ?? -1;
  const startedAt = performance.now();
  const firstSeenAt = new Map<number, number>();
  const told = new Set<number>();
  let vain = 0;
  while (true) {
    const coming = look().filter(({ env }) => findHome({ env, uid }) === home);
    if (await isAnswering(client)) return 'answers';
    vain = coming.length === 0 ? vain + 1 : 0;
    if (vain === LOOKS_IN_VAIN) return told.size > 0 ? 'ended' : 'absent';
    const now = performance.now();
    if (now - startedAt > PATIENCE_MS) {
      throw new DroverError('DROVER_TIMEOUT', { what: 'The daemon’s return', limit: `${PATIENCE_MS / 1000} seconds` });
    }
    for (const { pid, isGuard } of coming) {
      const seenAt = firstSeenAt.get(pid) ?? now;
      firstSeenAt.set(pid, seenAt);
      if (keepsWorkers || isGuard || told.has(pid) || now - seenAt < SIGNAL_AFTER_MS) continue;
      told.add(pid);
      tell(pid);
    }
    await wait(POLL_MS);
  }
};

const tell = (pid: number): void => {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It went meanwhile, or is not ours to end: what comes of it is looked at.
  }
};
