/**
 * Which worker is to be replaced before it runs out of memory, and when: late enough to pay, early enough to start its
 * successor and to drain it. Workers of one app grow alike, so those that would all be due at once are taken one after the
 * other, the first of them early enough for the last. Refuses to replace anything: the ladder does, within its limits.
 */
import type { MemoryForecast, MemoryLimit } from './memory-forecast.ts';

export interface RecyclePolicy {
  /** The start of a worker until it is ready, as measured or as the configuration allows. */
  readonly startMs: number;
  /** The drain timeout. */
  readonly drainMs: number;
  /** On top of both. */
  readonly marginMs: number;
  /** Share of the limit that is left free: a heap that is nearly full collects all the time, and garbage needs room too. */
  readonly headroom: number;
  /** Share of the limit below which nobody is recycled. */
  readonly leastShare: number;
  /** Nobody is recycled sooner than this after its start, but who runs headlong into the limit. */
  readonly leastLifeMs: number;
}

export const RECYCLE_POLICY: Omit<RecyclePolicy, 'startMs' | 'drainMs'> = {
  marginMs: 15_000,
  headroom: 0.1,
  leastShare: 0.6,
  leastLifeMs: 120_000,
};

export interface RecycleCandidate {
  readonly slot: number;
  readonly generation: number;
  readonly uptimeMs: number;
  readonly forecast: MemoryForecast;
}

export interface RecycleChoice {
  readonly slot: number;
  readonly generation: number;
  readonly reason: string;
  /** Until its limit less the headroom is reached, at the earliest. */
  readonly leftMs: number;
}

export interface GroupMemory {
  /** Until the limit of a control group is reached. */
  readonly leftBytes: number;
  /** That live under that limit. */
  readonly workers: number;
  /** What a new worker takes, which starts before the one that it replaces goes; 0 where it starts after that. */
  readonly successorBytes: number;
}

/**
 * What each of the workers under one limit may still take: equal parts of what is left beside a successor. Right where all grow
 * alike; where only some do it is too little at first, and less so the nearer the limit is. Null where there is no room for a
 * successor: replacing somebody would be what brings the group over its limit.
 */
export const memoryShare = ({ leftBytes, workers, successorBytes }: GroupMemory): number | null =>
  leftBytes <= successorBytes ? null : (leftBytes - successorBytes) / Math.max(1, workers);

/** Times what a worker takes when it has started: below, replacing it gives back too little, and its successor would only fill its caches again. */
const LEAST_GAIN = 1.5;

/** The limit that follows for one of them; null where replacing it would be no help. `startBytes`: resident, when one of its app has started. */
export const sharedLimit = (rssBytes: number, startBytes: number, shareBytes: number): MemoryLimit | null =>
  rssBytes < LEAST_GAIN * startBytes
    ? null
    : {
        source: 'rss',
        limitBytes: rssBytes + shareBytes,
        words: 'its share of what the memory limit of the control group leaves',
        isShared: true,
      };

/** Until the limit, less what has to stay free, is reached at the earliest; null: it is not on the way there. */
const usefulMs = (
  { status, bytes, limit, growthPerHourHigh }: MemoryForecast,
  policy: RecyclePolicy,
): number | null => {
  if (status !== 'growing' || bytes === null || growthPerHourHigh === null) return null;
  // Of a share, that part of the share: there is a successor's room beside it.
  const whole = limit.isShared === true ? limit.limitBytes - bytes : limit.limitBytes;
  const room = Math.max(0, limit.limitBytes - whole * policy.headroom - bytes);
  return room === 0 ? 0 : Number.isFinite(growthPerHourHigh) ? (room / growthPerHourHigh) * 3_600_000 : 0;
};

/**
 * The worker to recycle now, or null. `isRecycling`: one of the app is being replaced already. Ask again after each report.
 */
export const chooseRecycle = (
  candidates: readonly RecycleCandidate[],
  isRecycling: boolean,
  policy: RecyclePolicy,
): RecycleChoice | null => {
  const leadMs = policy.startMs + policy.drainMs + policy.marginMs;
  const due = candidates
    .flatMap((candidate) => {
      const leftMs = usefulMs(candidate.forecast, policy);
      return leftMs === null ? [] : [{ candidate, leftMs }];
    })
    .sort((a, b) => a.leftMs - b.leftMs);
  // Taken in this order, one after the other, each must still be in time.
  const isLate = due.some(({ leftMs }, index) => leftMs < (index + 1) * leadMs);
  const first = due[0];
  if (isRecycling || !isLate || first === undefined) return null;
  const { slot, generation, uptimeMs, forecast } = first.candidate;
  if (uptimeMs < policy.leastLifeMs && !forecast.isHeadlong) return null;
  if ((forecast.bytes ?? 0) < forecast.limit.limitBytes * policy.leastShare) return null;
  const others = due.filter(({ leftMs }, index) => index > 0 && leftMs < (index + 1) * leadMs).length;
  const ahead = others === 0 ? '' : `; ${others} more of its app will be due with it`;
  return { slot, generation, leftMs: first.leftMs, reason: forecast.reason + ahead };
};
