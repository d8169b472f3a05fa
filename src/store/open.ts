/** Opens the store: one file, one owner (the daemon). `':memory:'` serves `drover run` and tests: no state on disk. */
import { dirname, join } from 'node:path';
import type { Clock } from '../protocol/index.ts';
import { alertRecords } from './alerts.ts';
import type { AlertRecords } from './alerts.ts';
import { appRecords } from './apps.ts';
import type { AppRecords } from './apps.ts';
import { BackupFolder } from './backups/backup-folder.ts';
import { BackupSchedule, DEFAULT_BACKUP_TIMES } from './backups/backup-schedule.ts';
import type { BackupStatus, BackupTimes } from './backups/backup-schedule.ts';
import { connectMemory, MEMORY } from './connection.ts';
import { openDatabase } from './database.ts';
import type { Database, DatabaseSource, Trouble } from './database.ts';
import { eventNumbers } from './event-numbers.ts';
import { DEFAULT_EVENT_LIMITS, eventRecords } from './events.ts';
import type { EventLimits, EventRecords } from './events.ts';
import { openState, rewriteState, watchFile } from './fall-back.ts';
import type { FallBack, WentBack } from './fall-back.ts';
import { FELL_BACK_KEY } from './fall-back-mark.ts';
import { metaRecords } from './meta.ts';
import type { MetaRecords } from './meta.ts';
import { migrate, WRITER_KEY } from './migrate.ts';
import { operationRecords } from './operations.ts';
import type { OperationRecords } from './operations.ts';
import { portRecords } from './ports.ts';
import type { PortRecords } from './ports.ts';
import { releaseRecords } from './releases.ts';
import type { ReleaseRecords } from './releases.ts';
import { workerRecords } from './workers.ts';
import type { WorkerRecords } from './workers.ts';

export interface OpenStoreOptions {
  /** Absolute path, created with mode 0600 in a directory that exists, with `backups/` beside it; or `':memory:'`. */
  readonly file: string;
  readonly clock: Clock;
  /** Source of the random part of operation ids: at least 0, below 1. */
  readonly random: () => number;
  /** Of this Drover: kept with the state, and named when a state is refused. */
  readonly version?: string;
  readonly eventLimits?: EventLimits;
  readonly backupTimes?: BackupTimes;
  /** See `StatePlace.goesBack`. */
  readonly goesBack?: boolean;
  /** Only given by tests. */
  readonly migrations?: readonly string[];
}

/** How the state is doing. */
export interface StoreCondition {
  /** What is only in memory, and why; null while everything is on the disk. */
  readonly trouble: Trouble | null;
  /** What happened when it was opened; null when its file was as it should be. */
  readonly fallBack: FallBack | null;
  /** An upgrade that did not come up had changed it; null: not so. */
  readonly wentBack: WentBack | null;
  /** Changes at the end of its journal that could not be read when it was opened. */
  readonly lostChanges: number;
  readonly backups: BackupStatus | null;
}

export interface Store {
  readonly apps: AppRecords;
  readonly releases: ReleaseRecords;
  readonly workers: WorkerRecords;
  readonly ports: PortRecords;
  readonly operations: OperationRecords;
  readonly events: EventRecords;
  readonly alerts: AlertRecords;
  readonly meta: MetaRecords;
  readonly condition: StoreCondition;
  /** Called when the disk no longer takes what is written, and, with null, when all of it is on the disk again. */
  onTrouble(listener: (trouble: Trouble | null, before: Trouble | null) => void): void;
  /** Throws DROVER_STATE_UNWRITABLE where a change could not be written now. */
  assertWritable(): void;
  /** Several writes, of any records, all or none, synced to the disk when it returns. `work` must not await. */
  transaction<T>(work: () => T): T;
  /** Several writes that are never refused, of any records, all or none; see `database.ts`. `work` must not await. */
  keepTogether(work: () => void): void;
  /** A copy of all that is on the disk, in a new file. Throws what SQLite says, and where it is not all on the disk. */
  copyTo(file: string): void;
  close(): void;
}

/**
 * Throws DROVER_STATE_UNREADABLE where the file is damaged and there is no backup, or another daemon holds it, and
 * DROVER_STATE_NEWER where a newer Drover wrote it. A disk that takes no write is no reason not to open.
 */
export function openStore(options: OpenStoreOptions): Store {
  const { file, clock, random, version = 'unknown', eventLimits = DEFAULT_EVENT_LIMITS, migrations } = options;
  if (file === MEMORY) {
    const open = () => {
      const connection = connectMemory();
      migrate(connection);
      return { connection, onlyInMemory: null };
    };
    return openStoreOn({ file, clock, open }, { random, eventLimits });
  }
  const backups = new BackupFolder(join(dirname(file), 'backups'));
  backups.sweep();
  const place = {
    file,
    backups,
    version,
    nowMs: () => clock.wallMs(),
    goesBack: options.goesBack ?? false,
    ...(migrations === undefined ? {} : { migrations }),
  };
  let fallBack: FallBack | null = null;
  let wentBack: WentBack | null = null;
  let lostChanges = 0;
  const watch = watchFile(file);
  const open = () => {
    const opened = openState(place);
    fallBack = opened.fallBack ?? fallBack;
    wentBack = opened.wentBack ?? wentBack;
    lostChanges += opened.lostChanges;
    watch.remember();
    return opened;
  };
  const database = openDatabase({
    file,
    clock,
    open,
    isLost: () => watch.isLost(),
    rewrite: (connection) => rewriteState(file, connection, clock.wallMs()),
  });
  try {
    const schedule = new BackupSchedule(backups, {
      clock,
      times: options.backupTimes ?? DEFAULT_BACKUP_TIMES,
      source: () => database.connection,
    });
    const noting = noteChanges(database, () => schedule.note());
    const opening = (): Opening => ({ fallBack, wentBack, lostChanges });
    const records = recordsOf(noting, clock, random, eventLimits, opening());
    if (version !== 'unknown' && records.meta.find(WRITER_KEY) !== version) records.meta.put(WRITER_KEY, version);
    return assemble(records, noting, schedule, opening);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A store on a disk that the caller knows: memory, or a simulated one. Nothing is checked, and no backups are taken. */
export function openStoreOn(
  source: DatabaseSource,
  { random, eventLimits = DEFAULT_EVENT_LIMITS, fallBack = null }: StoreOnOptions,
): Store {
  const database = openDatabase(source);
  const opening: Opening = { fallBack, wentBack: null, lostChanges: 0 };
  const records = recordsOf(database, source.clock, random, eventLimits, opening);
  return assemble(records, database, null, () => opening);
}

type Opening = Pick<StoreCondition, 'fallBack' | 'wentBack' | 'lostChanges'>;

export interface StoreOnOptions extends Pick<OpenStoreOptions, 'random' | 'eventLimits'> {
  /** The state is an older one, as after a fall-back. */
  readonly fallBack?: FallBack | null;
}

type Records = Omit<
  Store,
  'condition' | 'onTrouble' | 'assertWritable' | 'transaction' | 'keepTogether' | 'copyTo' | 'close'
>;

function recordsOf(
  database: Database,
  clock: Clock,
  random: () => number,
  eventLimits: EventLimits,
  { fallBack, wentBack, lostChanges }: Opening,
): Records {
  const ports = portRecords(database);
  const meta = metaRecords(database);
  // The mark is of a daemon before this one, which may not have come to tell anything.
  const isMarked = meta.find(FELL_BACK_KEY) !== undefined;
  const hasGoneBack = isMarked || fallBack !== null || wentBack !== null || lostChanges > 0;
  return {
    apps: appRecords(database, (app) => ports.forget(app)),
    releases: releaseRecords(database),
    workers: workerRecords(database),
    ports,
    operations: operationRecords(database, clock, random),
    events: eventRecords(database, clock, eventLimits, eventNumbers(database, { clock, meta, hasGoneBack })),
    alerts: alertRecords(database),
    meta,
  };
}

const assemble = (
  records: Records,
  database: Database,
  schedule: BackupSchedule | null,
  opening: () => Opening,
): Store => ({
  ...records,
  // Not by spreading an object that has it: that would fix it as it is now.
  get condition() {
    return { trouble: database.trouble, ...opening(), backups: schedule?.status ?? null };
  },
  onTrouble: (listener) => database.onTrouble(listener),
  assertWritable: () => database.assertWritable(),
  transaction: (work) => database.transaction(work),
  keepTogether: (work) => database.keepTogether(work),
  copyTo(file) {
    database.assertWritable();
    if (database.connection === null) throw new Error('the state is not on the disk');
    database.connection.prepare('VACUUM INTO :file').run({ file });
  },
  close() {
    records.events.close();
    schedule?.close();
    database.close();
  },
});

/** Writes whose loss would be felt after a fall-back: what was asked for, and which workers there are. */
const noteChanges = (database: Database, note: () => void): Database => ({
  ...database,
  get trouble() {
    return database.trouble;
  },
  get connection() {
    return database.connection;
  },
  transaction(work) {
    const result = database.transaction(work);
    note();
    return result;
  },
  keep(key, write, options) {
    database.keep(key, write, options);
    if (options?.isSynced === true || key.startsWith('worker:')) note();
  },
});
