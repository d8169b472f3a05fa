/** The releases of each app: numbered, immutable. A number is never used twice while the app exists. */
import type { AppConfig } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { jsonOf, numberOf, textOf } from './json.ts';
import { DIGESTED } from './verify.ts';

export interface ReleaseRecord {
  readonly app: string;
  readonly number: number;
  readonly config: AppConfig;
  readonly createdAtMs: number;
}

export interface ReleaseRecords {
  /** The number that `add` gives next. */
  nextNumber(app: string): number;
  /** Adds the next release of the app and returns its number (the first is 1). Synced to the disk. */
  add(release: Omit<ReleaseRecord, 'number'>): number;
  find(app: string, number: number): ReleaseRecord | undefined;
  /** Oldest first. */
  list(app: string): ReleaseRecord[];
  /** Forgets all but the newest `keep` releases of the app, and never the one that the app is at. */
  prune(app: string, keep: number): void;
}

export function releaseRecords(database: Database): ReleaseRecords {
  const newest = database.prepare('SELECT max(number) AS number FROM releases WHERE app = :app');
  const insert = database.prepare(`
    INSERT INTO releases (app, number, config_json, created_at_ms, digest)
    VALUES (:app, :number, :config, :createdAtMs, :digest)`);
  const find = database.prepare('SELECT * FROM releases WHERE app = :app AND number = :number');
  const list = database.prepare('SELECT * FROM releases WHERE app = :app ORDER BY number');
  // The newest is always kept (keep is at least 1), so max(number) never goes back.
  const prune = database.prepare(`
    DELETE FROM releases WHERE app = :app
      AND number <= (SELECT max(number) FROM releases WHERE app = :app) - :keep
      AND number IS NOT (SELECT release FROM apps WHERE name = :app)`);

  const read = (row: Row): ReleaseRecord => ({
    app: textOf(row['app']),
    number: numberOf(row['number']),
    config: jsonOf(database.file, row, 'config_json') as AppConfig,
    createdAtMs: numberOf(row['created_at_ms']),
  });
  const nextNumber = (app: string): number => numberOf(newest.find({ app })?.['number']) + 1;
  return {
    nextNumber,
    add: ({ app, config, createdAtMs }) =>
      database.transaction(() => {
        const number = nextNumber(app);
        const text = JSON.stringify(config);
        const digest = DIGESTED.releases({ app, number, config_json: text });
        insert.run({ app, number, config: text, createdAtMs, digest });
        return number;
      }),
    find(app, number) {
      const row = find.find({ app, number });
      return row === undefined ? undefined : read(row);
    },
    list: (app) => list.list({ app }).map(read),
    prune: (app, keep) =>
      database.keep(`releases-pruned:${app}`, () => void prune.run({ app, keep: Math.max(1, keep) })),
  };
}
