/**
 * The file with the time series, `metrics.db`: one owner, never the reason that anything else fails. What it cannot write it
 * keeps for a while and then forgets; what is damaged is set aside and begun anew.
 *
 * Nothing here waits for the disk: SQLite writes without syncing (`synchronous = OFF`), into its journal only, and moves the
 * journal into the file between two syncs that run on a thread of Node's (`fs.fsync`), during which nothing is written.
 * So a power cut costs what was written since the last of them, never the file. Its own descriptor of the file is closed
 * after SQLite's: closing one in between would drop SQLite's locks.
 */
import { closeSync, fsync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { COLUMN_NAMES, emptySample, type Sample } from './columns.ts';
import { OtherForm } from './disk-trouble.ts';
import { nameOf, TIERS, type ClosedSample, type SeriesKey, type TierName } from './recorder.ts';
import { decodeSparse, encodeSparse } from './sparse-bytes.ts';

/** Says that a file is ours, and in which form. */
const VERSION = 1;
const PAGE_BYTES = 4_096;
/** So much journal is moved into the file at a time: a few milliseconds of copying. */
const JOURNAL_PAGES = 256;
/** What goes beyond the quota before what is oldest is gone. */
const MARGIN = 1.1;

const sync = promisify(fsync);

export const tableOf = (tier: TierName): string => `samples_${tier}`;

export class MetricsFile {
  readonly #database: DatabaseSync;
  readonly #descriptors: readonly number[];
  readonly #inserts: ReadonlyMap<TierName, StatementSync>;
  readonly #series = new Map<string, number>();
  readonly #file: string;
  #syncing: Promise<void> | null = null;
  #isClosed = false;

  /** Throws what SQLite or the file system says; the file is created, for its owner only. */
  constructor(file: string, quotaBytes: number) {
    this.#file = file;
    const descriptors = [openSync(file, 'a', 0o600)];
    this.#descriptors = descriptors;
    let database: DatabaseSync | null = null;
    try {
      database = new DatabaseSync(file, { timeout: 0 });
      this.#database = database;
      database.exec(`
        PRAGMA page_size = ${PAGE_BYTES};
        PRAGMA auto_vacuum = INCREMENTAL;
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = OFF;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA mmap_size = 0;
        PRAGMA cache_size = -512;
        PRAGMA temp_store = MEMORY;
        PRAGMA max_page_count = ${Math.max(64, Math.floor((quotaBytes * MARGIN) / PAGE_BYTES))};
      `);
      this.#prepareTables();
      // Only now: for a new file SQLite would remove a journal that is there.
      descriptors.push(openSync(`${file}-wal`, 'a', 0o600));
      this.#inserts = new Map(TIERS.map(({ name }) => [name, this.#prepareInsert(name)]));
      this.#loadSeries();
    } catch (error) {
      database?.close();
      for (const descriptor of descriptors) closeSync(descriptor);
      throw error;
    }
  }

  /** All or none; throws what SQLite says. Not to be called while {@link isSyncing}. */
  write(samples: readonly ClosedSample[]): void {
    this.#transaction(() => {
      for (const { tier, series, sample } of samples) {
        this.#inserts
          .get(tier)
          ?.run(
            this.#idOf(series),
            sample.at,
            sample.ms,
            encodeSparse(sample.latency),
            sample.named.size === 0 ? null : JSON.stringify(Object.fromEntries(sample.named)),
            ...sample.values.map((value) => (value === null ? null : Math.round(value))),
          );
      }
    });
  }

  /** Samples of a series, `fromMs` ≤ at < `toMs`, oldest first. */
  *read(tier: TierName, series: SeriesKey, fromMs: number, toMs: number): Generator<Sample> {
    const id = this.#series.get(nameOf(series));
    if (id === undefined) return;
    const rows = this.#database
      .prepare(`SELECT * FROM ${quoted(tier)} WHERE series = ? AND at >= ? AND at < ? ORDER BY at`)
      .iterate(id, fromMs, toMs);
    for (const row of rows) yield toSample(row);
  }

  /** Adds columns up in SQLite, by steps of `stepMs`: one row for each step that has samples. */
  fold(tier: TierName, series: SeriesKey, { fromMs, toMs, stepMs }: Span, expressions: readonly string[]): Row[] {
    const id = this.#series.get(nameOf(series));
    if (id === undefined) return [];
    const columns = expressions.map((expression, at) => `, ${expression} AS v${at}`).join('');
    return this.#database
      .prepare(
        `SELECT at / ? * ? AS step, SUM(ms) AS ms${columns} FROM ${quoted(tier)}
         WHERE series = ? AND at >= ? AND at < ? GROUP BY at / ? ORDER BY step`,
      )
      .all(stepMs, stepMs, id, fromMs, toMs, stepMs);
  }

  /** Beginning of the newest and of the oldest period; null where there is none. */
  bounds(tier: TierName, series: SeriesKey): { readonly oldest: number; readonly newest: number } | null {
    const id = this.#series.get(nameOf(series));
    if (id === undefined) return null;
    const row = this.#database
      .prepare(
        `SELECT (SELECT MIN(at) FROM ${quoted(tier)} WHERE series = :id) AS oldest,
                (SELECT MAX(at) FROM ${quoted(tier)} WHERE series = :id) AS newest`,
      )
      .get({ id });
    const { oldest, newest } = row ?? {};
    return typeof oldest === 'number' && typeof newest === 'number' ? { oldest, newest } : null;
  }

  list(): SeriesKey[] {
    return [...this.#series.keys()].map(seriesOf);
  }

  /** Removes what a series has of a tier before a time. */
  remove(tier: TierName, series: SeriesKey, beforeMs: number): void {
    const id = this.#series.get(nameOf(series));
    if (id === undefined) return;
    this.#database.prepare(`DELETE FROM ${quoted(tier)} WHERE series = ? AND at < ?`).run(id, beforeMs);
  }

  /** Forgets a series of which nothing is left. */
  removeIfEmpty(series: SeriesKey): void {
    const name = nameOf(series);
    const id = this.#series.get(name);
    if (id === undefined || TIERS.some(({ name: tier }) => this.bounds(tier, series) !== null)) return;
    this.#database.prepare('DELETE FROM series WHERE id = ?').run(id);
    this.#series.delete(name);
  }

  /** Room that is in use, without what was freed and is used again. */
  get usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * PAGE_BYTES;
  }

  /** Gives back what is free at the end of the file where that is more than a quarter of it; a few pages a time. */
  giveBack(): void {
    if (this.#pragma('freelist_count') * 4 > this.#pragma('page_count'))
      this.#database.exec('PRAGMA incremental_vacuum(256)');
  }

  get isSyncing(): boolean {
    return this.#syncing !== null;
  }

  /** Moves the journal into the file where it has grown enough. Rejects with what the disk says. */
  async checkpoint(force = false): Promise<void> {
    if (this.#isClosed || this.#syncing !== null) return this.#syncing ?? undefined;
    const size = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0 || (!force && size < JOURNAL_PAGES * PAGE_BYTES)) return undefined;
    this.#syncing = this.#moveJournal().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#database.close();
    } finally {
      // While a sync is under way its descriptors are needed; it closes them.
      if (this.#syncing === null) this.#closeDescriptors();
    }
  }

  async #moveJournal(): Promise<void> {
    const [file = -1, journal = -1] = this.#descriptors;
    try {
      await sync(journal);
      if (this.#isClosed) return;
      // A file with no other reader is moved whole by this.
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
      await sync(file);
    } finally {
      if (this.#isClosed) this.#closeDescriptors();
    }
  }

  #closeDescriptors(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      // Series that it had added are gone with it.
      this.#loadSeries();
      throw error;
    }
  }

  #loadSeries(): void {
    this.#series.clear();
    for (const { id, app, worker } of this.#database.prepare('SELECT id, app, worker FROM series').all()) {
      this.#series.set(nameOf({ app: String(app), worker: worker === '' ? null : String(worker) }), Number(id));
    }
  }

  #idOf(series: SeriesKey): number {
    const name = nameOf(series);
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO series (app, worker) VALUES (?, ?)')
      .run(series.app, series.worker ?? '');
    const id = Number(lastInsertRowid);
    this.#series.set(name, id);
    return id;
  }

  #prepareTables(): void {
    const version = this.#pragma('user_version');
    if (version !== 0 && version !== VERSION) throw new OtherForm(`it is of another form (${version})`);
    const columns = COLUMN_NAMES.map((name) => `"${name}" INTEGER`).join(', ');
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, app TEXT NOT NULL, worker TEXT NOT NULL, UNIQUE (app, worker));
      ${TIERS.map(
        ({ name }) => `CREATE TABLE IF NOT EXISTS ${quoted(name)} (
          series INTEGER NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL, latency BLOB, named TEXT, ${columns},
          PRIMARY KEY (series, at)) WITHOUT ROWID;`,
      ).join('\n')}
      PRAGMA user_version = ${VERSION};
    `);
  }

  #prepareInsert(tier: TierName): StatementSync {
    // A clock that was set back writes a time again: what it says now holds.
    return this.#database.prepare(
      `INSERT OR REPLACE INTO ${quoted(tier)} (series, at, ms, latency, named, ${COLUMN_NAMES.map((name) => `"${name}"`).join(', ')})
       VALUES (?, ?, ?, ?, ?, ${COLUMN_NAMES.map(() => '?').join(', ')})`,
    );
  }

  #pragma(name: string): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  }
}

/** Moves a file that cannot be used out of the way; one such is kept. */
export function setAside(file: string): string {
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  rmSync(`${file}-wal`, { force: true });
  return aside;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

export type Row = Readonly<Record<string, unknown>>;

const quoted = (tier: TierName): string => `"${tableOf(tier)}"`;

const seriesOf = (name: string): SeriesKey => {
  const [app = '', worker = ''] = name.split(' ');
  return { app, worker: worker === '' ? null : worker };
};

function toSample(row: Row): Sample {
  const sample = emptySample(Number(row['at']));
  sample.ms = Number(row['ms']);
  COLUMN_NAMES.forEach((name, at) => {
    const value = row[name];
    sample.values[at] = typeof value === 'number' ? value : null;
  });
  readLatency(row['latency'], (bucket, count) => sample.latency.set(bucket, count));
  for (const [name, count] of readNamed(row['named'])) sample.named.set(name, count);
  return sample;
}

export function readLatency(value: unknown, each: (bucket: number, count: number) => void): void {
  if (value instanceof Uint8Array) decodeSparse(value, each);
}

export function readNamed(value: unknown): (readonly [string, number])[] {
  if (typeof value !== 'string') return [];
  const parsed = JSON.parse(value) as Readonly<Record<string, unknown>>;
  return Object.entries(parsed).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
}
