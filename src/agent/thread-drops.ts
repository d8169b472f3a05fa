/**
 * What the app's threads drop of the same two files (a pino transport writes in one): each counts for itself and says
 * so to the main thread, which adds it to its reports. Both sides begin only when there is a thread, and something
 * dropped: `worker_threads` is never loaded for it.
 */
import type * as Threads from 'node:worker_threads';
import type { LogDrops } from '../protocol/agent.ts';
import { DropNews } from './log-drops.ts';
import type { OutputGuard } from './output-guard.ts';

const CHANNEL = 'drover:dropped-output';
const EVERY_MS = 500;

interface ThreadNotice {
  readonly thread: number;
  readonly drops: LogDrops;
}

/** In the main thread: the last word of each thread, by its id. */
export function hearThreads(): ReadonlyMap<number, LogDrops> {
  const heard = new Map<number, LogDrops>();
  process.once('worker', () => {
    const channel = openChannel();
    channel.addEventListener('message', (event) => {
      const { thread, drops } = (event as unknown as { readonly data: ThreadNotice }).data;
      heard.set(thread, drops);
    });
    // Only now: listening holds the event loop.
    channel.unref();
  });
  return heard;
}

/** In a thread: called when its output first finds no room. */
export function speakForThread(output: OutputGuard): void {
  const channel = openChannel();
  channel.unref();
  const news = new DropNews();
  const speak = (drops: LogDrops | undefined): void => {
    if (drops === undefined || !news.isNew(drops)) return;
    const notice: ThreadNotice = { thread: threads().threadId, drops };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    channel.postMessage(notice);
  };
  setInterval(() => {
    output.catchUp(false);
    speak(output.drops);
  }, EVERY_MS).unref();
  process.on('exit', () => {
    output.catchUp(true);
    // Whoever is gone drops nothing any more.
    const { drops } = output;
    speak(drops && { ...drops, isDropping: false });
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
