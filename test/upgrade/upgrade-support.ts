/** What the tests of upgrades have in common: a service under load, and what must not change whatever happens. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DaemonDocument, EventDocument } from '../../src/protocol/index.ts';
import type { Drover } from '../support/drover.ts';
import { startLoad } from '../support/load/index.ts';
import { makeVersion, type Changes, type NextVersion } from '../support/next-version.ts';
import { openPlace, PATIENT, pidsOf, type Place, readApp, service, startApp, untilApp } from '../support/service.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

export const MIGRATION = 'ALTER TABLE apps ADD COLUMN synthetic TEXT';

export interface Served extends AsyncDisposable {
  readonly drover: Drover;
  readonly port: number;
  readonly place: Place;
  /** Where versions are made. */
  readonly folder: string;
  readonly workers: readonly number[];
  readonly daemonPid: number;
  make(version: string, changes?: Changes): NextVersion;
  /** The workers are the ones from the beginning, and ready. */
  assertUntouched(): Promise<void>;
  /** Nothing was lost, and what is asked now is answered. */
  endLoad(): Promise<void>;
}

/** A daemon of this version with an app of two workers, under load. */
export async function openServed(env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const place = await openPlace();
  const folder: TemporaryFolder = await temporaryFolder('versions');
  const { drover, port } = place;
  await startApp(drover, 'shop', service(port, PATIENT), { env });
  const workers = pidsOf(await readApp(drover, 'shop'));
  const { pid } = await drover.daemon();
  const loads = await Promise.all([
    startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] }),
    startLoad({ mode: 'kept', port, connections: 4, pauseMs: [5, 20] }),
  ]);
  const untilAnswered = async (): Promise<void> => {
    await Promise.all(loads.map(async (load) => load.untilAnswered(30)));
  };
  await untilAnswered();
  return {
    drover,
    port,
    place,
    folder: folder.path,
    workers,
    daemonPid: pid ?? 0,
    make: (version, changes) => makeVersion(folder.path, version, changes),
    async assertUntouched() {
      const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
      assert.deepEqual(pidsOf(app), workers);
    },
    async endLoad() {
      await untilAnswered();
      const reports = await Promise.all(loads.map(async (load) => load.stop()));
      assert.deepEqual(
        reports.map(({ lostByReason }) => lostByReason),
        [{}, {}],
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(loads.map(async (load) => load.stop()));
      await place[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What is on record of the daemon itself. */
export async function daemonEvents(drover: Drover, type: EventDocument['type']): Promise<readonly EventDocument[]> {
  const { stdout } = await drover.run(['events', '--json', '--lines', '500']);
  const events = stdout.split('\n').filter((line) => line !== '');
  return events.map((line) => JSON.parse(line) as EventDocument).filter((event) => event.type === type);
}

export const versionOf = async (drover: Drover): Promise<string | null> => (await drover.daemon()).version;

export const upgradeOf = ({ upgrade }: DaemonDocument): unknown =>
  upgrade === null ? null : [upgrade.from, upgrade.to, upgrade.outcome];

/** The number of the state's last migration, by a copy: the daemon shares its file with nobody. */
export function schemaOf(drover: Drover): number {
  const folder = mkdtempSync(join(drover.home, 'look-'));
  for (const name of ['state.db', 'state.db-wal']) {
    if (existsSync(join(drover.home, name))) copyFileSync(join(drover.home, name), join(folder, name));
  }
  const connection = new DatabaseSync(join(folder, 'state.db'));
  try {
    return Number(connection.prepare('PRAGMA user_version').get()?.['user_version']);
  } finally {
    connection.close();
    rmSync(folder, { recursive: true });
  }
}
