/** The newest crash of an app, with what the worker printed before it, out of the events. */
import type { CrashDocument, EventDocument } from '../protocol/index.ts';

/** What an event of a crash carries; empty for any other event. */
export const lastLinesOf = ({ type, data }: EventDocument): readonly string[] => {
  const lines = type === 'worker-exited' ? data['lastLines'] : undefined;
  return Array.isArray(lines) ? lines.map(String) : [];
};

/** `events` in rising order. */
export const lastCrashOf = (events: readonly EventDocument[]): CrashDocument | null => {
  const event = events.findLast((one) => lastLinesOf(one).length > 0);
  if (event === undefined) return null;
  const { at, worker, app, reason } = event;
  return { at, worker: worker ?? app ?? '', reason, lastLines: lastLinesOf(event) };
};
