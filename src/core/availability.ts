/**
 * When caution may be set aside because nobody serves, or hardly anybody. Pure; the supervisor asks whenever a worker stops accepting,
 * and when the time that it was told has come.
 */
import type { WorkerPhase } from './worker-types.ts';

export interface WaitingSlot {
  readonly slot: number;
  readonly phase: WorkerPhase;
  readonly isAccepting: boolean;
  /** Its last generation had listened: the app can serve, so starting it early is worth it. */
  readonly hasListened: boolean;
  readonly backoffUntil: number | null;
}

export interface HurryQuestion {
  readonly slots: readonly WaitingSlot[];
  readonly lastHurryAt: number | null;
  readonly at: number;
  /** The shortest time between two hurries. */
  readonly spacingMs: number;
}

/** At least half of the slots accept: the rest may take its time. Fewer are one more crash away from an outage. */
export const isWellServed = (slots: readonly Pick<WaitingSlot, 'isAccepting'>[]): boolean =>
  slots.filter(({ isAccepting }) => isAccepting).length * 2 >= slots.length;

/** The slot whose backoff should end now, because too few workers of the app accept; null when all should wait. */
export const chooseHurry = ({ slots, lastHurryAt, at, spacingMs }: HurryQuestion): number | null => {
  if (isWellServed(slots)) return null;
  if (lastHurryAt !== null && at - lastHurryAt < spacingMs) return null;
  let best: WaitingSlot | null = null;
  for (const slot of slots) {
    if (slot.phase !== 'backoff' || !slot.hasListened) continue;
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
