/**
 * Keeps shards and channels in the service manager's descriptor store, in the place of the guard that a daemon has
 * elsewhere: the manager restarts the daemon, and hands back what it stored (`take-stored.ts`).
 */
import { closeDescriptor, inodeIfOpen, openMemoryFile } from '../../os/index.ts';
import type { Guard, KeptDescriptor } from '../guard.ts';
import type { Notifier } from './notifier.ts';
import { nameOfDescriptor, nameOfList, type StoredList } from './stored-name.ts';

export interface DescriptorStoreOptions {
  readonly notifier: Notifier;
  readonly list: () => readonly KeptDescriptor[];
  readonly hasServed: () => boolean;
  /** Daemons in a row before this one that died before they served. */
  readonly deaths: number;
  /** Names of what the store holds already. */
  readonly stored: readonly string[];
  /** Number of the newest list in it that is known. */
  readonly sequence: number;
  /**
   * Microseconds since the machine booted. Lists are numbered by it: a program that was replaced in place does not know
   * how far the one before had counted, and its lists must count more.
   */
  readonly monotonicUs: () => number;
}

/** Until the manager has taken what was sent, the daemon that ends waits so long at most. */
const FLUSH_MS = 2000;
const BUSY_RETRY_MS = 20;

export const openDescriptorStore = (options: DescriptorStoreOptions): Guard => {
  const { notifier } = options;
  /** What the store holds, or will when everything that was said has arrived. */
  const stored = new Set(options.stored);
  let sequence = options.sequence;
  let told = '';
  let isScheduled = false;
  let isDismissed = false;

  const store = (name: string, fd: number): void => {
    // Not polled by the manager: a channel whose worker has just died still holds its last words.
    notifier.tell({ FDSTORE: 1, FDPOLL: 0, FDNAME: name }, fd);
    stored.add(name);
  };
  const remove = (name: string): void => {
    notifier.tell({ FDSTOREREMOVE: 1, FDNAME: name });
    stored.delete(name);
  };

  const update = (): void => {
    isScheduled = false;
    if (isDismissed) return;
    // The manager is behind: one update for everything that changes until it is not.
    if (notifier.isBusy) return schedule(() => setTimeout(update, BUSY_RETRY_MS).unref());
    const kept = options.list().flatMap(({ name, fd }) => {
      // A worker's channel may close between the moment it was listed and now.
      const inode = inodeIfOpen(fd);
      return inode === null ? [] : [{ name, fd, inode }];
    });
    const list: StoredList = {
      descriptors: kept.map(({ name, inode }) => ({ name, inode })),
      hasServed: options.hasServed(),
      deaths: options.deaths,
    };
    const wanted = new Set(kept.map(({ inode }) => nameOfDescriptor(inode)));
    for (const { fd, inode } of kept) if (!stored.has(nameOfDescriptor(inode))) store(nameOfDescriptor(inode), fd);
    const text = JSON.stringify(list);
    if (text !== told) {
      sequence = Math.max(sequence + 1, options.monotonicUs());
      const file = openMemoryFile(text);
      store(nameOfList(sequence), file);
      closeDescriptor(file);
      told = text;
    }
    wanted.add(nameOfList(sequence));
    for (const name of stored) if (!wanted.has(name)) remove(name);
  };
  const schedule = (run: () => void): void => {
    if (isScheduled) return;
    isScheduled = true;
    run();
  };

  update();
  return {
    pid: null,
    // Changes come in bursts: one update for all of this turn of the event loop.
    refresh: () => schedule(() => setImmediate(update)),
    handOver() {
      update();
      isDismissed = true;
      return null;
    },
    async dismiss(reason) {
      await notifier.flush(FLUSH_MS);
      if (reason === 'workers-stay') update();
      isDismissed = true;
      // The list stays when the home is taken: it says how often that was so, and the manager will start us again.
      const isLeft = (name: string): boolean => reason === 'home-taken' && name === nameOfList(sequence);
      if (reason !== 'workers-stay') for (const name of stored) if (!isLeft(name)) remove(name);
      await notifier.flush(FLUSH_MS);
    },
  };
};
