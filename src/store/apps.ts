/**
 * What the operator asked for: one row per app. There is no "replace all": an app leaves only by `remove(name)`, so an
 * empty list can never overwrite a full one. Writes are synced to the disk (docs/decisions/sqlite.md).
 */
import type { AppConfig } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { DIGESTED } from './verify.ts';
import { isSet, jsonOf, numberOf, textOf, textOrNull } from './json.ts';

/** `stopped` is a state that outlives the daemon: a stopped app stays stopped. */
export type Wanted = 'up' | 'stopped';

export interface AppRecord {
  readonly name: string;
  /** The configuration file that owns the name, or null for a bare script. */
  readonly file: string | null;
  readonly config: AppConfig;
  readonly wanted: Wanted;
  /** Number of the release that its workers should run. */
  readonly release: number;
  /** How many slots: what `instances` came to, or what `scale` made of it. */
  readonly instances: number;
  /** Those that were stopped one by one, in an app that is wanted up. */
  readonly stoppedSlots: readonly number[];
  readonly createdAtMs: number;
  /** An earlier worker sent `process.send('ready')`; `ready.signal: 'auto'` waits for it from then on. */
  readonly readySignalSeen: boolean;
}

export type AppNote = Pick<
  AppRecord,
  'config' | 'wanted' | 'release' | 'instances' | 'stoppedSlots' | 'readySignalSeen'
>;

export interface AppRecords {
  /** Adds or replaces the app of that name. */
  put(app: AppRecord): void;
  /** Changes some fields of an app that is there; returns false where it is not. */
  change(name: string, fields: Partial<Omit<AppRecord, 'name'>>): boolean;
  /** Writes down what has become of an app that is there; never refused (`database.ts`). */
  note(name: string, state: AppNote): void;
  find(name: string): AppRecord | undefined;
  /** In the order of their names. */
  list(): AppRecord[];
  /**
   * Removes the app with its releases, workers and ports. Its operations and events stay as history. Never refused: the
   * operation that asked for it is written, and its workers are gone.
   */
  remove(name: string): void;
}

/** `onRemove` lets others forget what they remember of an app. */
export function appRecords(database: Database, onRemove: (name: string) => void): AppRecords {
  const put = database.prepare(`
    INSERT INTO apps (name, file, config_json, wanted, release, instances, stopped_slots_json, created_at_ms,
      ready_signal_seen, digest)
    VALUES (:name, :file, :config, :wanted, :release, :instances, :stoppedSlots, :createdAtMs,
      :readySignalSeen, :digest)
    ON CONFLICT (name) DO UPDATE SET
      file = excluded.file, config_json = excluded.config_json, wanted = excluded.wanted, release = excluded.release,
      instances = excluded.instances, stopped_slots_json = excluded.stopped_slots_json, created_at_ms = excluded.created_at_ms,
      ready_signal_seen = excluded.ready_signal_seen, digest = excluded.digest`);
  const note = database.prepare(`
    UPDATE apps SET config_json = :config, wanted = :wanted, release = :release, instances = :instances,
      stopped_slots_json = :stoppedSlots,      ready_signal_seen = :readySignalSeen, digest = :digest
    WHERE name = :name`);
  const find = database.prepare('SELECT * FROM apps WHERE name = :name');
  const list = database.prepare('SELECT * FROM apps ORDER BY name');
  const removals = ['releases WHERE app', 'workers WHERE app', 'ports WHERE app', 'apps WHERE name'].map((what) =>
    database.prepare(`DELETE FROM ${what} = :name`),
  );

  const read = (row: Row): AppRecord => ({
    name: textOf(row['name']),
    file: textOrNull(row['file']),
    config: jsonOf(database.file, row, 'config_json') as AppConfig,
    wanted: textOf(row['wanted']) as Wanted,
    release: numberOf(row['release']),
    instances: numberOf(row['instances']),
    stoppedSlots: jsonOf(database.file, row, 'stopped_slots_json') as readonly number[],
    createdAtMs: numberOf(row['created_at_ms']),
    readySignalSeen: isSet(row['ready_signal_seen']),
  });
  const records: AppRecords = {
    put(app) {
      const { name, file, createdAtMs } = app;
      database.transaction(() => put.run({ name, file, createdAtMs, ...columnsOf(name, app) }));
    },
    change: (name, fields) =>
      database.transaction(() => {
        const app = records.find(name);
        if (app === undefined) return false;
        records.put({ ...app, ...fields, name });
        return true;
      }),
    note(name, state) {
      const columns = columnsOf(name, state);
      database.keep(`app:${name}`, () => void note.run({ name, ...columns }), { isSynced: true });
    },
    find(name) {
      const row = find.find({ name });
      return row === undefined ? undefined : read(row);
    },
    list: () => list.list().map(read),
    remove(name) {
      onRemove(name);
      const removeAll = (): void => removals.forEach((removal) => removal.run({ name }));
      database.keep(`app-removed:${name}`, removeAll, { isSynced: true, replaces: [`app:${name}`] });
    },
  };
  return records;
}

const columnsOf = (name: string, { config, wanted, release, instances, stoppedSlots, readySignalSeen }: AppNote) => {
  const columns = {
    config: JSON.stringify(config),
    wanted,
    release,
    instances,
    stoppedSlots: JSON.stringify(stoppedSlots),
    readySignalSeen: readySignalSeen ? 1 : 0,
  };
  const digest = DIGESTED.apps({
    name,
    config_json: columns.config,
    wanted,
    release,
    instances,
    ready_signal_seen: columns.readySignalSeen,
  });
  return { ...columns, digest };
};
