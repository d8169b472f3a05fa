/**
 * Ports that an app has held: a restarted daemon opens them again, and readiness knows what should listen. They are
 * remembered as well as written: looked at whenever a worker may have become ready, also when the file cannot be read.
 */
import type { ListenAddress, PortRecord } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { isSet, jsonOf, numberOf, numberOrNull, textOf } from './json.ts';
import { DIGESTED } from './verify.ts';

export interface PortRecords {
  /** Adds or replaces the port; `firstHeldAtMs` of one that is there stays. */
  put(port: PortRecord): void;
  remove(app: string, key: string): void;
  list(app?: string): PortRecord[];
  /** The app is gone, and its rows with it. */
  forget(app: string): void;
}

export function portRecords(database: Database): PortRecords {
  const put = database.prepare(`
    INSERT INTO ports (app, key, address_json, declared, random_index, slots_json, protocol, first_held_at_ms, digest)
    VALUES (:app, :key, :address, :declared, :randomIndex, :slots, :protocol, :firstHeldAtMs, :digest)
    ON CONFLICT (app, key) DO UPDATE SET
      address_json = excluded.address_json, declared = excluded.declared, random_index = excluded.random_index,
      slots_json = excluded.slots_json, protocol = excluded.protocol, digest = excluded.digest`);
  const remove = database.prepare('DELETE FROM ports WHERE app = :app AND key = :key');
  const all = database.prepare('SELECT * FROM ports');

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
  const keyOf = (app: string, key: string): string => `${app}\0${key}`;
  const known = new Map(
    all.list().map((row): [string, PortRecord] => {
      const port = read(row);
      return [keyOf(port.app, port.key), port];
    }),
  );
  return {
    put({ app, key, address, declared, randomIndex, slots, protocol, firstHeldAtMs }) {
      const id = keyOf(app, key);
      const port = { app, key, address, declared, randomIndex, slots, protocol };
      known.set(id, { ...port, firstHeldAtMs: known.get(id)?.firstHeldAtMs ?? firstHeldAtMs });
      const columns = { address: JSON.stringify(address), randomIndex, slots: JSON.stringify(slots), protocol };
      const digest = DIGESTED.ports({
        app,
        key,
        address_json: columns.address,
        random_index: randomIndex,
        slots_json: columns.slots,
        protocol,
      });
      const row = { app, key, ...columns, declared: declared ? 1 : 0, firstHeldAtMs, digest };
      database.keep(`port:${id}`, () => void put.run(row));
    },
    remove(app, key) {
      known.delete(keyOf(app, key));
      database.keep(`port:${keyOf(app, key)}`, () => void remove.run({ app, key }));
    },
    list: (app) => [...known.values()].filter((port) => app === undefined || port.app === app).sort(inOrder),
    forget(app) {
      for (const [id, port] of known) if (port.app === app) known.delete(id);
    },
  };
}

/** By app, then in the order in which they were first held. */
const inOrder = (a: PortRecord, b: PortRecord): number =>
  compare(a.app, b.app) || a.firstHeldAtMs - b.firstHeldAtMs || compare(a.key, b.key);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
