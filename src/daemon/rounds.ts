/** What the daemon looks at every few seconds, because nothing tells of it: one timer for all of that. */

const ROUND_EVERY_MS = 5_000;

export interface Rounds {
  close(): void;
}

/** Keeps nobody from ending. None of them may throw: those after it would not be called in that round. */
export const startRounds = (looks: readonly (() => void)[]): Rounds => {
  const timer = setInterval(() => {
    for (const look of looks) look();
  }, ROUND_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
};
