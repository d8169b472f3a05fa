/**
 * What the app's threads drop of the same two files (a pino transport writes in one): each counts for itself and says
 * so to the main thread, which adds it to its reports. Both sides begin only when there is a thread, and something
 * dropped: `worker_threads` is never loaded for it.
 */
import type * as Threads from 'node:worker_threads';
import type { LogDrops } from '../protocol/agent.ts';
import { sumDrops } from '../runtime/index.ts';
import { DropNews } from './drop-news.ts';
import type { OutputGuard } from './output-guard.ts';

const CHANNEL = 'drover:dropped-output';
const EVERY_MS = 500;

interface ThreadNotice {
  readonly thread: number;
  readonly drops: LogDrops;
  /** It says nothing more: an app may make a thread for each of its tasks. */
  readonly hasEnded: boolean;
}

export interface ThreadDrops {
  /** Of all threads, also those that have ended; undefined where nothing was dropped. */
  readonly drops: LogDrops | undefined;
}

/** In the main thread. */
export function hearThreads(): ThreadDrops {
  /** The last word of each, by its id. */
  const living = new Map<number, LogDrops>();
  let ended: LogDrops | undefined;
  process.once('worker', () => {
    const channel = openChannel();
    channel.addEventListener('message', (event) => {
      const { thread, drops, hasEnded } = (event as unknown as { readonly data: ThreadNotice }).data;
      if (!hasEnded) living.set(thread, drops);
      else {
        living.delete(thread);
        ended = sumDrops([ended, drops]);
      }
    });
    // Only now: listening holds the event loop.
    channel.unref();
  });
  return {
    get drops() {
      return sumDrops([ended, ...living.values()]);
    },
  };
}

/** In a thread: called when its output first finds no room. */
export function speakForThread(output: OutputGuard): void {
  const channel = openChannel();
  channel.unref();
  const news = new DropNews();
  const speak = (drops: LogDrops, hasEnded: boolean): void => {
    const notice: ThreadNotice = { thread: threads().threadId, drops, hasEnded };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    channel.postMessage(notice);
  };
  setInterval(() => {
    output.catchUp(false);
    const { drops } = output;
    if (drops !== undefined && news.isNew(drops)) speak(drops, false);
  }, EVERY_MS).unref();
  process.on('exit', () => {
    output.catchUp(true);
    // Whoever is gone drops nothing any more.
    const { drops } = output;
    if (drops !== undefined) speak({ ...drops, isDropping: false }, true);
  });
}

/** `worker_threads` is there already: somebody made a thread. */
const threads = (): typeof Threads => require('node:worker_threads') as typeof Threads;

const openChannel = (): Channel =>
  new (threads().BroadcastChannel as unknown as new (name: string) => Channel)(CHANNEL);

/** What Node's types leave out of it. */
interface Channel extends EventTarget {
  postMessage: (message: unknown) => void;
  unref: () => void;
}
