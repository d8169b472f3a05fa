/** Keeps the service manager's status line true: after each event, but at most once a second. */
import type { Store } from '../../store/index.ts';

const AT_MOST_EVERY_MS = 1000;

/** Ends with the returned function. */
export const followStatus = (store: Store, tell: () => void): (() => void) => {
  let timer: NodeJS.Timeout | null = null;
  const unsubscribe = store.events.subscribe(() => {
    timer ??= setTimeout(() => {
      timer = null;
      tell();
    }, AT_MOST_EVERY_MS).unref();
  });
  return () => {
    unsubscribe();
    if (timer !== null) clearTimeout(timer);
  };
};
