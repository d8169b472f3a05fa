/**
 * What happened, in the order it happened: `seq` orders (it grows, with gaps), `at` is for people. Appending removes
 * what is beyond the limits now and then; one app in a crash loop cannot push out what the others did.
 */
import type { Clock, EventDocument, EventInput, EventType } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import type { EventNumbers } from './event-numbers.ts';
import { EVENT_KEY } from './kept.ts';
import { jsonOrNull, numberOf, textOf, textOrNull } from './json.ts';

export interface EventQuery {
  readonly app?: string;
  /** With `app`: what concerns the daemon as well. */
  readonly withDaemon?: boolean;
  /** Only what came after this sequence number. */
  readonly afterSeq?: number;
  readonly sinceMs?: number;
  /** With `afterSeq` the first ones after it (a reader catching up), else the newest. */
  readonly limit?: number;
}

export type EventListener = (event: EventDocument) => void;

export interface EventRecords {
  /** Writes it and returns its sequence number; listeners hear of it once it is committed. Never refused. */
  append(event: EventInput): number;
  /** Oldest first. */
  list(query?: EventQuery): EventDocument[];
  /** Calls `listener` for every event from now on; returns the end of it. A listener must not throw. */
  subscribe(listener: EventListener): () => void;
  /** No event comes afterwards. */
  close(): void;
}

export interface EventLimits {
  /** Events kept per app (those of the daemon count as one app), and in all. */
  readonly perApp: number;
  readonly total: number;
  readonly ageMs: number;
}

export const DEFAULT_EVENT_LIMITS: EventLimits = { perApp: 2_000, total: 20_000, ageMs: 30 * 86_400_000 };

/** Removing is cheap in bulk: once in so many events, and the limits are exceeded by at most this. */
const PRUNE_EVERY = 128;
/** Age alone never removes these newest: a wall clock that jumps ahead must not empty the history. */
const KEPT_WHATEVER_AGE = 1_000;

export function eventRecords(
  database: Database,
  clock: Clock,
  limits: EventLimits,
  numbers: EventNumbers,
): EventRecords {
  const insert = database.prepare(`
    INSERT OR REPLACE INTO events (seq, at_ms, app, worker, type, reason, data_json)
    VALUES (:seq, :atMs, :app, :worker, :type, :reason, :data)`);
  const filter =
    '(:app IS NULL OR app = :app OR (:withDaemon = 1 AND app IS NULL)) AND seq > :afterSeq AND at_ms >= :sinceMs';
  const first = database.prepare(`SELECT * FROM events WHERE ${filter} ORDER BY seq LIMIT :limit`);
  const newest = database.prepare(
    `SELECT * FROM (SELECT * FROM events WHERE ${filter} ORDER BY seq DESC LIMIT :limit) ORDER BY seq`,
  );
  const pruneApp = database.prepare(`
    DELETE FROM events WHERE app IS :app
      AND seq <= (SELECT seq FROM events WHERE app IS :app ORDER BY seq DESC LIMIT 1 OFFSET :kept)`);
  const pruneTotal = database.prepare(`
    DELETE FROM events WHERE seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET :kept)`);
  const pruneAge = database.prepare(`
    DELETE FROM events WHERE at_ms < :oldest
      AND seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET :kept)`);
  let appended = 0;
  /** Of whom something was appended since the last time that old events went. */
  const grown = new Set<string | null>();
  const listeners = new Set<EventListener>();

  const prune = (apps: Iterable<string | null>): void => {
    for (const app of apps) pruneApp.run({ app, kept: limits.perApp });
    pruneTotal.run({ kept: limits.total });
    pruneAge.run({ oldest: clock.wallMs() - limits.ageMs, kept: KEPT_WHATEVER_AGE });
  };
  const read = (row: Row): EventDocument => {
    const worker = textOrNull(row['worker']);
    return {
      seq: numberOf(row['seq']),
      at: new Date(numberOf(row['at_ms'])).toISOString(),
      app: textOrNull(row['app']),
      ...(worker === null ? {} : { worker }),
      type: textOf(row['type']) as EventType,
      reason: textOrNull(row['reason']),
      data: (jsonOrNull(row, 'data_json') ?? {}) as EventDocument['data'],
    };
  };
  return {
    append({ app, worker = null, type, reason = null, data = {} }) {
      const atMs = clock.wallMs();
      const seq = numbers.next();
      const row = { seq, atMs, app, worker, type, reason, data: JSON.stringify(data) };
      database.keep(`${EVENT_KEY}${seq}`, () => void insert.run(row));
      grown.add(app);
      appended += 1;
      if (appended >= PRUNE_EVERY) {
        const apps = [...grown];
        database.keep('events-pruned', () => prune(apps));
        grown.clear();
        appended = 0;
      }
      const at = new Date(atMs).toISOString();
      const event: EventDocument = { seq, at, app, ...(worker === null ? {} : { worker }), type, reason, data };
      database.afterCommit(() => {
        for (const listener of listeners) listener(event);
      });
      return seq;
    },
    list({ app, withDaemon = false, afterSeq, sinceMs, limit } = {}) {
      const statement = afterSeq === undefined ? newest : first;
      const bounds = { afterSeq: afterSeq ?? 0, sinceMs: sinceMs ?? 0, limit: limit ?? -1 };
      return statement.list({ app: app ?? null, withDaemon: withDaemon ? 1 : 0, ...bounds }).map(read);
    },
    subscribe(listener) {
      // A wrapper each time, so that one function may listen twice and end once.
      const entry: EventListener = (event) => listener(event);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    close: () => numbers.close(),
  };
}
