/**
 * Alerts: where each of them is and what each receiver was told, so that the next daemon neither repeats nor forgets; what
 * receivers have not taken yet; what was given up; silences. All of it is bounded: states by what is configured, the rest by
 * numbers here and in `alerts/`.
 */
import type { AlertMessage, DeadLetterRecord, DeliveryRecord, SilenceDocument } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { jsonOrNull, numberOf, textOf, textOrNull } from './json.ts';

export type AlertStateKind = 'alert' | 'receiver';

export interface AlertRecords {
  /** Of `core/alert-book.ts`, by fingerprint and by receiver; this room does not interpret them. Never refused. */
  readonly states: {
    put(kind: AlertStateKind, id: string, state: unknown): void;
    remove(kind: AlertStateKind, id: string): void;
    list(kind: AlertStateKind): readonly { readonly id: string; readonly state: unknown }[];
  };
  readonly deliveries: {
    /** What waits for a receiver from now on, all of it. Never refused. */
    putWaiting(receiver: string, deliveries: readonly DeliveryRecord[]): void;
    /** By receiver, in order. */
    listWaiting(): DeliveryRecord[];
    /** Adds one that was given up, in the place of one that waited; beyond {@link MOST_DEAD} the oldest goes. Never refused. */
    bury(delivery: DeadLetterRecord): void;
    /** Oldest first. */
    listDead(): DeadLetterRecord[];
    findDead(id: string): DeadLetterRecord | undefined;
    /** Whether it was there. Refused on a full disk. */
    removeDead(id: string): boolean;
  };
  /** Changes are refused on a full disk. */
  readonly silences: {
    /** Adds or replaces the one of that id, and forgets those that ended before `forgetBeforeMs` (wall clock). */
    put(silence: SilenceDocument, forgetBeforeMs: number): void;
    /** By id. */
    list(): SilenceDocument[];
  };
}

/** Dead letters kept, of all receivers together. A message has at most 64 KiB (`alerts/message.ts`). */
export const MOST_DEAD = 500;

export function alertRecords(database: Database): AlertRecords {
  const putState = database.prepare(
    'INSERT OR REPLACE INTO alert_states (kind, id, state_json) VALUES (:kind, :id, :state)',
  );
  const removeState = database.prepare('DELETE FROM alert_states WHERE kind = :kind AND id = :id');
  const listStates = database.prepare('SELECT id, state_json FROM alert_states WHERE kind = :kind ORDER BY id');
  const insert = database.prepare(`
    INSERT OR REPLACE INTO alert_deliveries
      (id, receiver, key, place, created_at_ms, attempts, next_at_ms, error, dead_at_ms, message_json)
    VALUES (:id, :receiver, :key, :place, :createdAtMs, :attempts, :nextAtMs, :error, :deadAtMs, :message)`);
  const remove = database.prepare('DELETE FROM alert_deliveries WHERE id = :id AND dead_at_ms IS NULL');
  const note = database.prepare(`
    UPDATE alert_deliveries SET attempts = :attempts, next_at_ms = :nextAtMs, error = :error
    WHERE id = :id AND dead_at_ms IS NULL`);
  const listIds = database.prepare(
    'SELECT id, attempts FROM alert_deliveries WHERE receiver = :receiver AND dead_at_ms IS NULL',
  );
  const listWaiting = database.prepare(
    'SELECT * FROM alert_deliveries WHERE dead_at_ms IS NULL ORDER BY receiver, place',
  );
  const dead = 'FROM alert_deliveries WHERE dead_at_ms IS NOT NULL';
  const listDead = database.prepare(`SELECT * ${dead} ORDER BY dead_at_ms, id`);
  const findDead = database.prepare(`SELECT * ${dead} AND id = :id`);
  const removeDead = database.prepare(`DELETE ${dead} AND id = :id`);
  const pruneDead = database.prepare(`
    DELETE ${dead} AND id IN (SELECT id ${dead} ORDER BY dead_at_ms DESC, id DESC LIMIT -1 OFFSET :kept)`);
  const putSilence = database.prepare(`
    INSERT OR REPLACE INTO silences (id, ends_at_ms, document_json) VALUES (:id, :endsAtMs, :document)`);
  const forgetSilences = database.prepare('DELETE FROM silences WHERE ends_at_ms < :before');
  const listSilences = database.prepare('SELECT * FROM silences ORDER BY id');

  const readDelivery = (row: Row): DeliveryRecord[] => {
    const message = jsonOrNull(row, 'message_json') as AlertMessage | null;
    if (message === null) return [];
    return [
      {
        id: textOf(row['id']),
        receiver: textOf(row['receiver']),
        place: numberOf(row['place']),
        createdAtMs: numberOf(row['created_at_ms']),
        attempts: numberOf(row['attempts']),
        nextAtMs: numberOf(row['next_at_ms']),
        error: textOrNull(row['error']),
        message,
      },
    ];
  };
  const readDead = (row: Row): DeadLetterRecord[] =>
    readDelivery(row).map((delivery) => ({ ...delivery, deadAtMs: numberOf(row['dead_at_ms']) }));
  const rowOf = (delivery: DeliveryRecord) => ({
    id: delivery.id,
    receiver: delivery.receiver,
    key: delivery.message.groupKey,
    place: delivery.place,
    createdAtMs: delivery.createdAtMs,
    attempts: delivery.attempts,
    nextAtMs: delivery.nextAtMs,
    error: delivery.error,
    message: JSON.stringify(delivery.message),
  });
  /** Only what differs is written: an attempt that failed must not cost the whole queue. */
  const reconcile = (receiver: string, deliveries: readonly DeliveryRecord[]): void => {
    const there = new Map(listIds.list({ receiver }).map((row) => [textOf(row['id']), numberOf(row['attempts'])]));
    for (const delivery of deliveries) {
      const { id, attempts, nextAtMs, error } = delivery;
      const known = there.get(id);
      there.delete(id);
      if (known === undefined) insert.run({ ...rowOf(delivery), deadAtMs: null });
      else if (known !== attempts) note.run({ id, attempts, nextAtMs, error });
    }
    for (const id of there.keys()) remove.run({ id });
  };
  let buried = 0;

  return {
    states: {
      put(kind, id, state) {
        const row = { kind, id, state: JSON.stringify(state) };
        database.keep(`alert-state:${kind}/${id}`, () => void putState.run(row));
      },
      remove: (kind, id) => database.keep(`alert-state:${kind}/${id}`, () => void removeState.run({ kind, id })),
      list: (kind) =>
        listStates.list({ kind }).flatMap((row) => {
          const state = jsonOrNull(row, 'state_json');
          return state === null ? [] : [{ id: textOf(row['id']), state }];
        }),
    },
    deliveries: {
      // One key for all of a receiver: on a full disk what is remembered does not grow with what comes and goes.
      putWaiting: (receiver, deliveries) =>
        database.keep(`alert-deliveries:${receiver}`, () => reconcile(receiver, deliveries)),
      listWaiting: () => listWaiting.list().flatMap(readDelivery),
      bury(delivery) {
        const row = { ...rowOf(delivery), deadAtMs: delivery.deadAtMs };
        // The keys come again, for the same reason.
        buried = (buried + 1) % MOST_DEAD;
        database.keep(`alert-dead:${buried}`, () => {
          insert.run(row);
          pruneDead.run({ kept: MOST_DEAD });
        });
      },
      listDead: () => listDead.list().flatMap(readDead),
      findDead: (id) => findDead.list({ id }).flatMap(readDead)[0],
      removeDead: (id) => database.transaction(() => removeDead.run({ id }) > 0),
    },
    silences: {
      put(silence, forgetBeforeMs) {
        const endsAtMs = silence.everyMs === null ? Date.parse(silence.endsAt) : null;
        const row = { id: silence.id, endsAtMs, document: JSON.stringify(silence) };
        database.transaction(() => {
          forgetSilences.run({ before: forgetBeforeMs });
          putSilence.run(row);
        });
      },
      list: () =>
        listSilences.list().flatMap((row) => {
          const silence = jsonOrNull(row, 'document_json') as SilenceDocument | null;
          return silence === null ? [] : [silence];
        }),
    },
  };
}
