/**
 * One SQLite connection: pragmas, transactions, prepared statements, and SQLite's failures as
 * `DROVER_STATE_UNREADABLE`. It knows no table. Everything is synchronous: a record is on file when the call returns,
 * so "written before it is acted on" needs no ordering tricks. See docs/decisions/sqlite.md for the choices.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { DroverError } from '../protocol/index.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A prepared statement; parameters are named in the SQL (`:app`). */
export interface Statement {
  /** Runs it and returns how many rows it changed. */
  run(parameters?: Readonly<Record<string, SQLInputValue>>): number;
  find(parameters?: Readonly<Record<string, SQLInputValue>>): Row | undefined;
  list(parameters?: Readonly<Record<string, SQLInputValue>>): Row[];
}

export interface Database {
  readonly file: string;
  prepare(sql: string): Statement;
  execute(sql: string): void;
  /**
   * All of `work` or nothing of it, and on the disk when this returns. A transaction inside another joins it.
   * `work` must not await.
   */
  transaction<T>(work: () => T): T;
  /** Runs `work` once what is being written is committed (at once outside a transaction), never after a rollback. */
  afterCommit(work: () => void): void;
  close(): void;
}

/** The predecessor of a restarted daemon may need a moment to die. Only opening ever waits: nobody shares the file. */
const LOCK_WAIT_MS = 2_000;

export function openDatabase(file: string): Database {
  const fail = (cause: unknown): DroverError =>
    cause instanceof DroverError
      ? cause
      : new DroverError('DROVER_STATE_UNREADABLE', { file, message: describe(cause) }, { cause });

  const connection = guarded(fail, () => connect(file));
  let isInTransaction = false;
  let waiting: (() => void)[] = [];

  return {
    file,
    prepare(sql) {
      const statement = guarded(fail, () => connection.prepare(sql));
      return {
        run: (parameters = {}) => guarded(fail, () => Number(statement.run(parameters).changes)),
        find: (parameters = {}) => guarded(fail, () => statement.get(parameters)),
        list: (parameters = {}) => guarded(fail, () => statement.all(parameters)),
      };
    },
    execute: (sql) => guarded(fail, () => connection.exec(sql)),
    transaction(work) {
      if (isInTransaction) return work();
      // Not allowed inside a transaction, so every outermost one is a synced one.
      guarded(fail, () => connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE'));
      isInTransaction = true;
      try {
        const result = work();
        guarded(fail, () => connection.exec('COMMIT; PRAGMA synchronous = NORMAL'));
        isInTransaction = false;
        const committed = waiting;
        waiting = [];
        for (const after of committed) after();
        return result;
      } catch (error) {
        if (isInTransaction) {
          isInTransaction = false;
          waiting = [];
          // SQLite has already rolled back by itself after some failures (a full disk).
          if (connection.isTransaction) guarded(fail, () => connection.exec('ROLLBACK'));
          guarded(fail, () => connection.exec('PRAGMA synchronous = NORMAL'));
        }
        throw error;
      }
    },
    afterCommit(work) {
      if (isInTransaction) waiting.push(work);
      else work();
    },
    close() {
      if (connection.isOpen) connection.close();
    },
  };
}

function connect(file: string): DatabaseSync {
  // SQLite would create it readable for others; -wal takes over the mode. Before any lock exists, because closing a
  // second descriptor of the file would drop SQLite's locks.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const connection = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
  try {
    // Exclusive: a second daemon is refused, and the index of the WAL needs no shared memory file.
    connection.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA mmap_size = 0;
      PRAGMA cache_size = -256;
      PRAGMA wal_autocheckpoint = 256;
      PRAGMA journal_size_limit = 1048576;
      PRAGMA foreign_keys = OFF;
    `);
    const check = connection.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') throw new Error(String(check?.['quick_check']));
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function guarded<T>(fail: (cause: unknown) => DroverError, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw fail(cause);
  }
}

function describe(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message === 'database is locked' ? 'another daemon holds it' : message;
}
