/**
 * Writes that the disk did not take, in the order they were made: at most one of each key, so that they do not grow with
 * the time that the disk is full. Events are the exception, and of them only the newest are remembered.
 */

import { diskTroubleOf } from './disk-trouble.ts';

/** Keys of events begin with it. */
export const EVENT_KEY = 'event:';
const MOST_EVENTS = 500;

export class Kept {
  readonly #writes = new Map<string, () => void>();
  #events = 0;
  #dropped = 0;

  get size(): number {
    return this.#writes.size;
  }

  /** Events that were forgotten because there were too many, and writes that no state takes. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `replaces` are keys that this write makes void. */
  add(key: string, write: () => void, replaces: readonly string[]): void {
    for (const each of [...replaces, key]) this.#writes.delete(each);
    this.#writes.set(key, write);
    if (!key.startsWith(EVENT_KEY)) return;
    this.#events += 1;
    if (this.#events <= MOST_EVENTS) return;
    for (const oldest of this.#writes.keys()) {
      if (!oldest.startsWith(EVENT_KEY)) continue;
      this.#writes.delete(oldest);
      this.#events -= 1;
      this.#dropped += 1;
      return;
    }
  }

  /** Throws where the disk is at fault; a write that fails for its own sake is dropped, or it would keep all others. */
  replay(): void {
    for (const [key, write] of this.#writes) {
      try {
        write();
      } catch (error) {
        if (diskTroubleOf(error) !== null) throw error;
        this.#writes.delete(key);
        this.#dropped += 1;
      }
    }
  }

  clear(): void {
    this.#writes.clear();
    this.#events = 0;
    this.#dropped = 0;
  }
}
