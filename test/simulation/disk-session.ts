/** One daemon's connection to the simulated disk, in the shape of `DatabaseSync` as far as the store uses it. */
import type { DatabaseSync } from 'node:sqlite';
import type { Memory, Parameters, Written } from './disk.ts';

export interface SessionHooks {
  /** Called after each commit: the daemon may die before it learns of it. */
  readonly onCommitted: () => void;
  /** Whether SQLite rolls a refused transaction back by itself; it may or may not. */
  readonly rollsBackByItself: () => boolean;
  /** Thrown at a daemon that is dead. */
  readonly death: () => Error;
}

interface Platter {
  readonly isRefused: () => boolean;
  readonly commit: (writes: readonly Written[], isSynced: boolean) => void;
}

const FULL = 13;

const isRead = (sql: string): boolean => /^\s*(SELECT|PRAGMA)/i.test(sql);

export class DiskSession {
  readonly memory: Memory;
  isOpen = true;
  readonly #hooks: SessionHooks;
  readonly #platter: Platter;
  #written: Written[] = [];
  #isSynced = false;

  constructor(memory: Memory, hooks: SessionHooks, platter: Platter) {
    this.memory = memory;
    this.#hooks = hooks;
    this.#platter = platter;
  }

  get asConnection(): DatabaseSync {
    return this as unknown as DatabaseSync;
  }

  get isTransaction(): boolean {
    return this.isOpen && this.memory.connection.isTransaction;
  }

  exec(script: string): void {
    for (const sql of script.split(';').map((part) => part.trim())) if (sql !== '') this.#execute(sql);
  }

  prepare(sql: string): {
    run: (parameters: Parameters) => { changes: number | bigint };
    get: (parameters?: Parameters) => unknown;
    all: (parameters?: Parameters) => unknown[];
  } {
    this.#assertAlive();
    const statement = this.memory.prepare(sql);
    return {
      run: (parameters) => this.#write(sql, parameters),
      get: (parameters = {}) => (this.#assertAlive(), statement.get(parameters)),
      all: (parameters = {}) => (this.#assertAlive(), statement.all(parameters)),
    };
  }

  close(): void {
    this.abandon();
  }

  /** What it had not committed is gone. */
  abandon(): void {
    if (!this.isOpen) return;
    if (this.memory.connection.isTransaction) this.memory.connection.exec('ROLLBACK');
    this.isOpen = false;
  }

  #execute(sql: string): void {
    this.#assertAlive();
    const { connection } = this.memory;
    if (sql.startsWith('PRAGMA synchronous')) {
      // SQLite refuses that inside a transaction.
      if (connection.isTransaction) throw new Error('Safety level may not be changed inside a transaction');
      this.#isSynced = sql.endsWith('FULL');
    } else if (sql === 'COMMIT') this.#commit();
    else {
      if (sql === 'BEGIN IMMEDIATE' || sql === 'ROLLBACK') this.#written = [];
      connection.exec(sql);
    }
  }

  #commit(): void {
    const { connection } = this.memory;
    if (this.#platter.isRefused()) {
      if (this.#hooks.rollsBackByItself()) connection.exec('ROLLBACK');
      throw isFull();
    }
    connection.exec('COMMIT');
    this.#platter.commit(this.#written, this.#isSynced);
    this.#hooks.onCommitted();
  }

  #write(sql: string, parameters: Parameters): { changes: number | bigint } {
    this.#assertAlive();
    if (isRead(sql)) return this.memory.prepare(sql).run(parameters);
    const isAlone = !this.memory.connection.isTransaction;
    if (isAlone && this.#platter.isRefused()) throw isFull();
    const result = this.memory.prepare(sql).run(parameters);
    const written = { sql, parameters };
    if (isAlone) this.#platter.commit([written], false);
    else this.#written.push(written);
    return result;
  }

  #assertAlive(): void {
    if (!this.isOpen) throw this.#hooks.death();
  }
}

const isFull = (): Error =>
  Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: FULL });
