/** Ports that an app has held: a restarted daemon opens them again, and readiness knows what should listen. */
import type { ListenAddress, PortRecord } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { isSet, jsonOf, numberOf, numberOrNull, textOf } from './json.ts';

export interface PortRecords {
  /** Adds or replaces the port; `firstHeldAtMs` of one that is there stays. */
  put(port: PortRecord): void;
  remove(app: string, key: string): void;
  list(app?: string): PortRecord[];
}

export function portRecords(database: Database): PortRecords {
  const put = database.prepare(`
    INSERT INTO ports (app, key, address_json, declared, random_index, slots_json, protocol, first_held_at_ms)
    VALUES (:app, :key, :address, :declared, :randomIndex, :slots, :protocol, :firstHeldAtMs)
    ON CONFLICT (app, key) DO UPDATE SET
      address_json = excluded.address_json, declared = excluded.declared, random_index = excluded.random_index,
      slots_json = excluded.slots_json, protocol = excluded.protocol`);
  const remove = database.prepare('DELETE FROM ports WHERE app = :app AND key = :key');
  const list = database.prepare(
    'SELECT * FROM ports WHERE :app IS NULL OR app = :app ORDER BY app, first_held_at_ms, key',
  );

  const read = (row: Row): PortRecord => ({
    app: textOf(row['app']),
    key: textOf(row['key']),
    address: jsonOf(database.file, row, 'address_json') as ListenAddress,
    declared: isSet(row['declared']),
    randomIndex: numberOrNull(row['random_index']),
    slots: jsonOf(database.file, row, 'slots_json') as readonly number[],
    protocol: textOf(row['protocol']) as PortRecord['protocol'],
    firstHeldAtMs: numberOf(row['first_held_at_ms']),
  });
  return {
    put: (port) =>
      void put.run({
        app: port.app,
        key: port.key,
        address: JSON.stringify(port.address),
        declared: port.declared ? 1 : 0,
        randomIndex: port.randomIndex,
        slots: JSON.stringify(port.slots),
        protocol: port.protocol,
        firstHeldAtMs: port.firstHeldAtMs,
      }),
    remove: (app, key) => void remove.run({ app, key }),
    list: (app) => list.list({ app: app ?? null }).map(read),
  };
}
