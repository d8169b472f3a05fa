/**
 * Work in slices: what goes through tens of thousands of series yields now and then, and whoever runs it decides what
 * happens in between. A slice is some thousand series, ten milliseconds or so of a daemon without V8's optimizing compilers.
 */
export type Sliced<Result> = Generator<void, Result>;

/** Series in a slice. */
export const SLICE = 2000;

/** All of it at once. */
export function atOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** With a turn of the event loop for others between any two slices. */
export async function inTurns<Result>(work: Sliced<Result>, turn: () => Promise<void>): Promise<Result> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await turn();
  }
}
