/** How long a soak is, and how that is divided into rounds. */

export interface SoakSize {
  readonly minutes: number;
  readonly roundSeconds: number;
  /** MB that the workers of an app print in each round. */
  readonly floodMegabytes: number;
}

export const FULL_SOAK: SoakSize = { minutes: 30, roundSeconds: 30, floodMegabytes: 8 };
/** Too short for a slope: shows that the soak works, and that everything that a round opens is closed at its end. */
export const SHORT_SOAK: SoakSize = { minutes: 1.25, roundSeconds: 15, floodMegabytes: 4 };

/**
 * In a run of 45 minutes the daemon's private memory rose from 23 to 34 MB in the first 5 and moved between 33 and 37
 * then; what was alive after a collection crept from 17.1 to 17.4 MB until the twelfth, and no further. V8 compiles what
 * is used for the first time and finds the size of its heap, SQLite and the readers of logs fill their buffers. That is no
 * slope to be carried on, so a third of the run is cut, but not more than these.
 */
const LONGEST_WARM_UP_MINUTES = 10;
const WARM_UP_SHARE = 1 / 3;

export function roundsOf({ minutes, roundSeconds, floodMegabytes }: SoakSize): {
  readonly rounds: number;
  readonly warmUpRounds: number;
  readonly roundSeconds: number;
  readonly floodMegabytes: number;
} {
  const perMinute = 60 / roundSeconds;
  return {
    rounds: Math.max(3, Math.round(minutes * perMinute)),
    warmUpRounds: Math.max(1, Math.floor(Math.min(LONGEST_WARM_UP_MINUTES, minutes * WARM_UP_SHARE) * perMinute)),
    roundSeconds,
    floodMegabytes,
  };
}
