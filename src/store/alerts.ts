/**
 * Alerts: where their machine is and what receivers were told, so that the next daemon neither repeats nor forgets; what they
 * have not taken yet; what was given up; silences. All of it is bounded: states and groups by what is configured, the rest
 * by numbers here and in `alerts/`.
 */
import type {
  AlertMessage,
  DeadLetterRecord,
  DeliveryRecord,
  SilenceMatcher,
  SilenceRecord,
  ToldAlert,
  ToldGroupRecord,
} from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { jsonOrNull, numberOf, textOf, textOrNull } from './json.ts';

export interface AlertRecords {
  /** The machine of each alert by its id; this room does not interpret it. Never refused. */
  readonly states: {
    put(id: string, state: unknown): void;
    remove(id: string): void;
    list(): readonly { readonly id: string; readonly state: unknown }[];
  };
  /** Never refused. */
  readonly groups: {
    put(group: ToldGroupRecord): void;
    remove(receiver: string, groupKey: string): void;
    list(): ToldGroupRecord[];
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
    /** Adds or replaces the one of that id, and forgets those that ended before `forgetBeforeMs`. */
    put(silence: SilenceRecord, forgetBeforeMs: number): void;
    /** By their start. */
    list(): SilenceRecord[];
  };
}

/** Dead letters kept, of all receivers together. A message has at most 64 KiB (`alerts/message.ts`). */
export const MOST_DEAD = 500;

export function alertRecords(database: Database): AlertRecords {
  const putState = database.prepare('INSERT OR REPLACE INTO alert_states (id, state_json) VALUES (:id, :state)');
  const removeState = database.prepare('DELETE FROM alert_states WHERE id = :id');
  const listStates = database.prepare('SELECT * FROM alert_states ORDER BY id');
  const putGroup = database.prepare(`
    INSERT OR REPLACE INTO alert_groups (receiver, key, told_at_ms, told_json)
    VALUES (:receiver, :key, :toldAtMs, :told)`);
  const removeGroup = database.prepare('DELETE FROM alert_groups WHERE receiver = :receiver AND key = :key');
  const listGroups = database.prepare('SELECT * FROM alert_groups ORDER BY receiver, key');
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
    INSERT OR REPLACE INTO silences (id, matchers_json, starts_at_ms, ends_at_ms, comment, created_by, created_at_ms)
    VALUES (:id, :matchers, :startsAtMs, :endsAtMs, :comment, :createdBy, :createdAtMs)`);
  const forgetSilences = database.prepare('DELETE FROM silences WHERE ends_at_ms < :before');
  const listSilences = database.prepare('SELECT * FROM silences ORDER BY starts_at_ms, id');

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
      put(id, state) {
        const row = { id, state: JSON.stringify(state ?? null) };
        database.keep(`alert-state:${id}`, () => void putState.run(row));
      },
      remove: (id) => database.keep(`alert-state:${id}`, () => void removeState.run({ id })),
      list: () => listStates.list().map((row) => ({ id: textOf(row['id']), state: jsonOrNull(row, 'state_json') })),
    },
    groups: {
      put({ receiver, groupKey, toldAtMs, alerts }) {
        const row = { receiver, key: groupKey, toldAtMs, told: JSON.stringify(alerts) };
        database.keep(`alert-group:${receiver}/${groupKey}`, () => void putGroup.run(row));
      },
      remove: (receiver, key) =>
        database.keep(`alert-group:${receiver}/${key}`, () => void removeGroup.run({ receiver, key })),
      list: () =>
        listGroups.list().map((row) => ({
          receiver: textOf(row['receiver']),
          groupKey: textOf(row['key']),
          toldAtMs: numberOf(row['told_at_ms']),
          alerts: (jsonOrNull(row, 'told_json') ?? []) as readonly ToldAlert[],
        })),
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
        const { id, matchers, startsAtMs, endsAtMs, comment, createdBy, createdAtMs } = silence;
        database.transaction(() => {
          forgetSilences.run({ before: forgetBeforeMs });
          putSilence.run({
            id,
            matchers: JSON.stringify(matchers),
            startsAtMs,
            endsAtMs,
            comment,
            createdBy,
            createdAtMs,
          });
        });
      },
      list: () =>
        listSilences.list().flatMap((row) => {
          const matchers = jsonOrNull(row, 'matchers_json') as readonly SilenceMatcher[] | null;
          // Without its matchers it would keep everything quiet.
          if (matchers === null || matchers.length === 0) return [];
          return [
            {
              id: textOf(row['id']),
              matchers,
              startsAtMs: numberOf(row['starts_at_ms']),
              endsAtMs: numberOf(row['ends_at_ms']),
              comment: textOf(row['comment']),
              createdBy: textOf(row['created_by']),
              createdAtMs: numberOf(row['created_at_ms']),
            },
          ];
        }),
    },
  };
}
