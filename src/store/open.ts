/** Opens the store: one file, one owner (the daemon). `':memory:'` serves `drover run` and tests: no state on disk. */
import type { Clock } from '../protocol/index.ts';
import { appRecords } from './apps.ts';
import type { AppRecords } from './apps.ts';
import { openDatabase } from './database.ts';
import { DEFAULT_EVENT_LIMITS, eventRecords } from './events.ts';
import type { EventLimits, EventRecords } from './events.ts';
import { metaRecords } from './meta.ts';
import type { MetaRecords } from './meta.ts';
import { migrate } from './migrate.ts';
import { operationRecords } from './operations.ts';
import type { OperationRecords } from './operations.ts';
import { portRecords } from './ports.ts';
import type { PortRecords } from './ports.ts';
import { releaseRecords } from './releases.ts';
import type { ReleaseRecords } from './releases.ts';
import { workerRecords } from './workers.ts';
import type { WorkerRecords } from './workers.ts';

export interface OpenStoreOptions {
  /** Absolute path, created with mode 0600 in a directory that exists; or `':memory:'`. */
  readonly file: string;
  readonly clock: Clock;
  /** Source of the random part of operation ids: at least 0, below 1. */
  readonly random: () => number;
  readonly eventLimits?: EventLimits;
}

export interface Store {
  readonly apps: AppRecords;
  readonly releases: ReleaseRecords;
  readonly workers: WorkerRecords;
  readonly ports: PortRecords;
  readonly operations: OperationRecords;
  readonly events: EventRecords;
  readonly meta: MetaRecords;
  /** Several writes, of any records, all or none, synced to the disk when it returns. `work` must not await. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Throws `DROVER_STATE_UNREADABLE` where the file is damaged, from a newer Drover, or held by another daemon. */
export function openStore({ file, clock, random, eventLimits = DEFAULT_EVENT_LIMITS }: OpenStoreOptions): Store {
  const database = openDatabase(file);
  try {
    migrate(database);
    return {
      apps: appRecords(database),
      releases: releaseRecords(database),
      workers: workerRecords(database),
      ports: portRecords(database),
      operations: operationRecords(database, clock, random),
      events: eventRecords(database, clock, eventLimits),
      meta: metaRecords(database),
      transaction: (work) => database.transaction(work),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
