/** The door of `store/`: what Drover remembers, in one SQLite file under the home. */
export { openStore, openStoreOn } from './open.ts';
export type { OpenStoreOptions, Store, StoreCondition, StoreOnOptions } from './open.ts';
export type { DatabaseSource } from './database.ts';
export type { Trouble } from './database.ts';
export type { FallBack, WentBack } from './fall-back.ts';
export { FELL_BACK_KEY } from './fall-back-mark.ts';
export type { BackupTimes } from './backups/backup-schedule.ts';
export { MIGRATIONS } from './migrate.ts';
export type { AlertRecords } from './alerts.ts';
export type { AppNote, AppRecord, AppRecords, Wanted } from './apps.ts';
export type { EventLimits, EventListener, EventQuery, EventRecords } from './events.ts';
export type { MetaRecords } from './meta.ts';
export type {
  BegunOperation,
  OperationBegin,
  OperationQuery,
  OperationRecord,
  OperationRecords,
} from './operations.ts';
export type { PortRecords } from './ports.ts';
export type { ReleaseRecord, ReleaseRecords } from './releases.ts';
export type { WorkerRecords } from './workers.ts';
