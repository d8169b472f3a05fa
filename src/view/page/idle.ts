/** Long work in pieces, in the time that the browser has left between frames. */

/** Milliseconds a piece where the browser does not tell how long it has. */
const PIECE_MS = 4;
/** Pieces stop when less than this is left of the browser's time: a step takes a part of it. */
const SPARE_MS = 1;

/** Runs `steps` to their end, then `onDone`; ended early by the function that comes back. */
export function runWhenIdle<Result>(
  steps: Generator<undefined, Result, undefined>,
  onDone: (result: Result) => void,
): () => void {
  let isEnded = false;
  const piece = (hasTime: () => boolean): void => {
    if (isEnded) return;
    do {
      const { done, value } = steps.next();
      if (done) {
        onDone(value);
        return;
      }
    } while (hasTime());
    schedule();
  };
  const schedule = (): void => {
    // Safari has no idle callbacks.
    if ('requestIdleCallback' in globalThis)
      requestIdleCallback((deadline) => piece(() => deadline.timeRemaining() > SPARE_MS), { timeout: 2000 });
    else
      setTimeout(() => {
        const end = performance.now() + PIECE_MS;
        piece(() => performance.now() < end);
      });
  };
  schedule();
  return () => {
    isEnded = true;
  };
}
