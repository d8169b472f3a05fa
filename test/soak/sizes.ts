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
 * V8 compiles what is used for the first time, again and better what is used often, and finds the size of its heap; SQLite
 * and the readers of logs fill their buffers. That is no slope to be carried on. What was alive after a collection crept
 * until the fifteenth minute in a run of rounds of 30 s, and two heap snapshots showed what it was: code and its feedback.
 * It depends on how often things are done, not on time, so the rounds of the warm-up have no pauses, but for the last ones, which
 * are like those that are counted: under load for longer, with reports and looks in between.
 */
const LONGEST_WARM_UP_MINUTES = 10;
const WARM_UP_SHARE = 1 / 3;
const LAST_MINUTES = 3;
/** What is done in a round takes about so long. */
const WARM_UP_ROUND_SECONDS = 12;

export interface SoakRounds {
  /** In all. */
  readonly rounds: number;
  readonly warmUpRounds: number;
  /** Those of the warm-up that have no pauses: the first ones. */
  readonly quickRounds: number;
  /** At least, of a round after the warm-up. */
  readonly roundSeconds: number;
  readonly floodMegabytes: number;
}

export function roundsOf({ minutes, roundSeconds, floodMegabytes }: SoakSize): SoakRounds {
  const warmUpMinutes = Math.min(LONGEST_WARM_UP_MINUTES, minutes * WARM_UP_SHARE);
  const lastMinutes = Math.min(LAST_MINUTES, warmUpMinutes / 3);
  const quickRounds = Math.max(1, Math.round(((warmUpMinutes - lastMinutes) * 60) / WARM_UP_ROUND_SECONDS));
  const warmUpRounds = quickRounds + Math.round((lastMinutes * 60) / roundSeconds);
  const counted = Math.max(2, Math.round(((minutes - warmUpMinutes) * 60) / roundSeconds));
  return { rounds: warmUpRounds + counted, warmUpRounds, quickRounds, roundSeconds, floodMegabytes };
}
