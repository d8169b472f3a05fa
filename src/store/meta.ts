/** Small facts about this home that belong to no app: a name, a token, when something was last done. */
import type { Database } from './database.ts';
import { textOf } from './json.ts';

export interface MetaRecords {
  find(key: string): string | undefined;
  put(key: string, value: string): void;
  remove(key: string): void;
}

export function metaRecords(database: Database): MetaRecords {
  const find = database.prepare('SELECT value FROM meta WHERE key = :key');
  const put = database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (:key, :value)');
  const remove = database.prepare('DELETE FROM meta WHERE key = :key');
  return {
    find(key) {
      const row = find.find({ key });
      return row === undefined ? undefined : textOf(row['value']);
    },
    put: (key, value) => database.keep(`meta:${key}`, () => void put.run({ key, value })),
    remove: (key) => database.keep(`meta:${key}`, () => void remove.run({ key })),
  };
}
