/** Events as a stream: what is recorded, then what happens. A slow reader makes the list be read again, not grow. */
import type { EventQuery } from '../api/index.ts';
import type { EventDocument } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';

const PAGE = 200;

export async function* followEvents(
  store: Store,
  query: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<EventDocument, void, void> {
  const ofApp = query.app === null ? {} : { app: query.app };
  const first = store.events.list({
    ...ofApp,
    ...(query.afterSeq === null ? {} : { afterSeq: query.afterSeq }),
    limit: query.limit,
  });
  let seq = query.afterSeq ?? 0;
  for (const event of first) {
    seq = event.seq;
    yield event;
  }
  if (!query.follow) return;
  if (seq === 0) seq = store.events.list({ limit: 1 }).at(-1)?.seq ?? 0;

  let wake: () => void = () => {};
  const unsubscribe = store.events.subscribe(() => wake());
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      // Armed before the look, so that nothing is missed between the two.
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const page = store.events.list({ ...ofApp, afterSeq: seq, limit: PAGE });
      if (page.length === 0 && !signal.aborted) await changed;
      for (const event of page) {
        seq = event.seq;
        yield event;
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}
