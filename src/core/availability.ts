/**
 * When caution may be set aside because nobody serves, or hardly anybody. Pure; the supervisor asks whenever a worker stops accepting,
 * and when the time that it was told has come.
 */
import type { Exit } from './exit.ts';
import type { WorkerPhase } from './worker-types.ts';

export interface WaitingSlot {
  readonly slot: number;
  readonly phase: WorkerPhase;
  readonly isAccepting: boolean;
  /** Its last generation had listened: the app can serve, so starting it early is worth it. */
  readonly hasListened: boolean;
  readonly backoffUntil: number | null;
  readonly lastExit: Exit | null;
}

export interface HurryQuestion {
  readonly slots: readonly WaitingSlot[];
  readonly lastHurryAt: number | null;
  readonly at: number;
  /** The shortest time between two hurries. */
  readonly spacingMs: number;
  /** How many hurries of slots that had failed by themselves there were since a worker was ready. */
  readonly faultsInRow: number;
}

/** What a process gets from its own instructions; every other signal has a sender. */
const FAULTS: ReadonlySet<string | null> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);

/** Whether the next worker is likely to end as this one did: nobody from outside has ended it. */
export const isOwnFault = (exit: Exit | null): boolean =>
  exit !== null && (exit.cause === 'signal' ? FAULTS.has(exit.signal) : exit.cause !== 'killed');

/** Of an app whose workers fail by themselves, as one request may have made them do. */
const TRIES = 4;

/**
 * Whether a try before its time may help. Who is killed from outside is worth one at any time; what fails by itself again and again
 * waits as its backoff says, or a crash loop of an app that listens first would know no wait.
 */
export const isWorthTry = (
  { phase, hasListened, lastExit }: Pick<WaitingSlot, 'phase' | 'hasListened' | 'lastExit'>,
  faultsInRow: number,
): boolean => phase === 'backoff' && hasListened && (faultsInRow < TRIES || !isOwnFault(lastExit));

/** At least half of the slots accept: the rest may take its time. Fewer are one more crash away from an outage. */
export const isWellServed = (slots: readonly Pick<WaitingSlot, 'isAccepting'>[]): boolean =>
  slots.filter(({ isAccepting }) => isAccepting).length * 2 >= slots.length;

/** The slot whose backoff should end now, because too few workers of the app accept; null when all should wait. */
export const chooseHurry = ({ slots, lastHurryAt, at, spacingMs, faultsInRow }: HurryQuestion): number | null => {
  if (isWellServed(slots)) return null;
  if (lastHurryAt !== null && at - lastHurryAt < spacingMs) return null;
  let best: WaitingSlot | null = null;
  for (const slot of slots) {
    if (!isWorthTry(slot, faultsInRow)) continue;
    if (best === null || (slot.backoffUntil ?? 0) < (best.backoffUntil ?? 0)) best = slot;
  }
  return best === null ? null : best.slot;
};

export interface EarlyQuestion {
  readonly hasListened: boolean;
  /** All of its ports listen and every signal came: it only has to stay alive for `stableFor`. */
  readonly waitsOnlyForStability: boolean;
  /** It will take over from an old worker, which serves meanwhile. */
  readonly isReplacement: boolean;
  readonly isAnyWorkerReady: boolean;
}

/** Whether a worker may accept before it is ready: an untried worker is better than none. */
export const mayAcceptEarly = (question: EarlyQuestion): boolean =>
  question.hasListened && question.waitsOnlyForStability && !question.isReplacement && !question.isAnyWorkerReady;
