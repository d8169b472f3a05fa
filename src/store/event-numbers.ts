/**
 * Numbers of events, none of them given twice: whoever follows asks for what comes after the last number that it saw, and
 * would never be told of one that comes again. A state may go back (to a backup, or by the death of a daemon whose disk
 * was full, with events that were told and are in memory only), so numbers are reserved on the disk before they are given,
 * many at a time, and a daemon that finds a state which was not closed begins behind what is reserved there.
 */
import type { Clock } from '../protocol/index.ts';
import type { Database } from './database.ts';
import { numberOf } from './json.ts';
import type { MetaRecords } from './meta.ts';

/** In `meta`: up to which number they are reserved; the last one given where the state was closed. */
export const RESERVED_KEY = 'event-numbers';

/** More than are told while a disk is full, or since any backup that may take the place of the state. */
const RESERVED_AT_ONCE = 1_000_000;

export interface EventNumbers {
  next(): number;
  /** Gives back what was reserved and not used. None is given afterwards. */
  close(): void;
}

/** `hasGoneBack`: what is reserved may be less than what was given, because the state is an older one. */
export function eventNumbers(
  database: Database,
  { clock, meta, hasGoneBack }: { clock: Clock; meta: MetaRecords; hasGoneBack: boolean },
): EventNumbers {
  const written = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").find();
  const stored = Number(meta.find(RESERVED_KEY) ?? 0);
  const isDamaged = !Number.isSafeInteger(stored);
  /** Counted here, so that an event has its number before the disk has it. */
  let last = Math.max(numberOf(written?.['seq']), isDamaged ? 0 : stored);
  if (hasGoneBack || isDamaged) last += RESERVED_AT_ONCE;
  /** Null until the first one: who only looks at a state reserves nothing. */
  let reserved: number | null = null;

  const reserve = (): void => {
    const isFirst = reserved === null;
    const end = last + RESERVED_AT_ONCE;
    meta.put(RESERVED_KEY, String(end));
    database.afterCommit(() => {
      reserved = end;
    });
    // A daemon that never gets to write, and one after it: the time since is all that tells their numbers apart.
    if (isFirst && database.trouble !== null) last = Math.max(last, clock.wallMs());
  };
  return {
    next() {
      // Long before they are used up: the disk may be full by then.
      if (reserved === null || last + RESERVED_AT_ONCE / 2 > reserved) reserve();
      last += 1;
      return last;
    },
    close() {
      if (reserved !== null) meta.put(RESERVED_KEY, String(last));
      reserved = null;
    },
  };
}
