/** Runs jobs beside each other that take a different share of the machine each. */

/**
 * Runs `job` for each item, as many at a time as `width` of them adds up to at most `slots`. Whatever fits goes first, in the
 * order given, so that no slot is idle while an item that is wide enough only for later waits; one wider than all slots runs
 * alone. The first error is thrown once those that run have ended; nothing is begun after it.
 */
export async function runInLanes<T>(
  items: readonly T[],
  slots: number,
  width: (item: T) => number,
  job: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let free = slots;
  const slotsOf = (item: T): number => Math.min(width(item), slots);
  const begin = (item: T): void => {
    const taken = slotsOf(item);
    free -= taken;
    const ended: Promise<void> = (async () => job(item))()
      .catch((error: unknown) => void failures.push(error))
      .then(() => {
        free += taken;
        running.delete(ended);
      });
    running.add(ended);
  };
  while (waiting.length > 0 || running.size > 0) {
    const next = failures.length > 0 ? -1 : waiting.findIndex((item) => slotsOf(item) <= free);
    if (next !== -1) begin(...(waiting.splice(next, 1) as [T]));
    else if (running.size > 0) await Promise.race(running);
    else break;
  }
  if (failures.length > 0) throw failures[0];
}
