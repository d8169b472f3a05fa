/**
 * What the operator asked for: one row per app. There is no "replace all": an app leaves only by `remove(name)`, so an
 * empty list can never overwrite a full one. Writes are synced to the disk (docs/decisions/sqlite.md).
 */
import type { AppConfig } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
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
  readonly createdAtMs: number;
  /** An earlier worker sent `process.send('ready')`; `ready.signal: 'auto'` waits for it from then on. */
  readonly readySignalSeen: boolean;
}

export interface AppRecords {
  /** Adds or replaces the app of that name. */
  put(app: AppRecord): void;
  /** Changes some fields of an app that is there; returns false where it is not. */
  change(name: string, fields: Partial<Omit<AppRecord, 'name'>>): boolean;
  find(name: string): AppRecord | undefined;
  /** In the order of their names. */
  list(): AppRecord[];
  /** Removes the app with its releases, workers and ports. Its operations and events stay as history. */
  remove(name: string): boolean;
}

export function appRecords(database: Database): AppRecords {
  const put = database.prepare(`
    INSERT INTO apps (name, file, config_json, wanted, release, instances, created_at_ms, ready_signal_seen)
    VALUES (:name, :file, :config, :wanted, :release, :instances, :createdAtMs, :readySignalSeen)
    ON CONFLICT (name) DO UPDATE SET
      file = excluded.file, config_json = excluded.config_json, wanted = excluded.wanted, release = excluded.release,
      instances = excluded.instances, created_at_ms = excluded.created_at_ms,
      ready_signal_seen = excluded.ready_signal_seen`);
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
    createdAtMs: numberOf(row['created_at_ms']),
    readySignalSeen: isSet(row['ready_signal_seen']),
  });
  const records: AppRecords = {
    put(app) {
      database.transaction(() =>
        put.run({
          name: app.name,
          file: app.file,
          config: JSON.stringify(app.config),
          wanted: app.wanted,
          release: app.release,
          instances: app.instances,
          createdAtMs: app.createdAtMs,
          readySignalSeen: app.readySignalSeen ? 1 : 0,
        }),
      );
    },
    change: (name, fields) =>
      database.transaction(() => {
        const app = records.find(name);
        if (app === undefined) return false;
        records.put({ ...app, ...fields, name });
        return true;
      }),
    find(name) {
      const row = find.find({ name });
      return row === undefined ? undefined : read(row);
    },
    list: () => list.list().map(read),
    remove: (name) => database.transaction(() => removals.map((removal) => removal.run({ name })).at(-1) === 1),
  };
  return records;
}
