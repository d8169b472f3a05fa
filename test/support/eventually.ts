/** Waiting in tests: for a condition with a deadline, never for a time. */

/** What takes a tenth of a second at rest may take half a minute beside another suite, on a machine that neighbours share. */
export const PATIENCE_MS = 30_000;

/**
 * Asks `question` until it answers with something other than `undefined` or `false`, and returns that. Fails after
 * `withinMs` with `what`, and with the last error of the question if it threw.
 */
export async function eventually<Answer>(
  what: string,
  question: () => Answer | Promise<Answer>,
  { withinMs = PATIENCE_MS, everyMs = 20 } = {},
): Promise<Exclude<Answer, undefined | false>> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  while (true) {
    try {
      const answer = await question();
      if (answer !== undefined && answer !== false) return answer as Exclude<Answer, undefined | false>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${withinMs} ms`, cause === undefined ? {} : { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
