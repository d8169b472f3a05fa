/**
 * One state: its connection, transactions, prepared statements, and SQLite's failures in the words of the error
 * catalogue. It knows no table. Everything is synchronous: a record is on file when the call returns, so "written
 * before it is acted on" needs no ordering tricks. See docs/decisions/sqlite.md for the choices.
 *
 * Two kinds of writes. A `transaction` is what somebody asked for: on the disk when it returns, or refused. What is
 * `kept` only says what has happened already (a worker that was started, an event) and is never refused: what the disk
 * does not take is remembered, shown to readers, and written as soon as there is room (docs/internals/state.md).
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { DroverError, type Clock } from '../protocol/index.ts';
import { versionOf } from './connection.ts';
import { diskTroubleOf, systemMessageOf, toStateError } from './disk-trouble.ts';
import { Kept } from './kept.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A prepared statement; parameters are named in the SQL (`:app`). */
export interface Statement {
  /** Runs it and returns how many rows it changed. Not for `RETURNING`, whose commit SQLite reports to nobody. */
  run(parameters?: Readonly<Record<string, SQLInputValue>>): number;
  find(parameters?: Readonly<Record<string, SQLInputValue>>): Row | undefined;
  list(parameters?: Readonly<Record<string, SQLInputValue>>): Row[];
}

/** Why the state cannot be written, and what waits for it. */
export interface Trouble {
  readonly sinceMs: number;
  readonly reason: string;
  /** It is not the disk that is full or failing: the file is damaged, and a backup takes its place at the next start. */
  readonly isDamaged: boolean;
  /** Writes that are only in memory. */
  readonly kept: number;
  /** Events that were too many to be remembered. */
  readonly dropped: number;
}

export interface KeepOptions {
  /** On the disk when the call returns, where the disk takes it. */
  readonly isSynced?: boolean;
  /** Keys of remembered writes that this one makes void. */
  readonly replaces?: readonly string[];
}

interface KeptWrite {
  readonly key: string;
  readonly write: () => void;
  readonly replaces: readonly string[];
}

export interface Database {
  readonly file: string;
  prepare(sql: string): Statement;
  /**
   * All of `work` or nothing of it, and on the disk when this returns. A transaction inside another joins it.
   * `work` must not await. Throws DROVER_STATE_UNWRITABLE where the disk takes no write.
   */
  transaction<T>(work: () => T): T;
  /** Never refused; `write` may run several times. A later one of the same key takes the place of a remembered one. */
  keep(key: string, write: () => void, options?: KeepOptions): void;
  /**
   * What is kept in `work` is written together and synced, all or none of it, once `work` has run; nothing of it where
   * `work` throws. Never refused, like `keep`. `work` must not await, and does not read what it keeps.
   */
  keepTogether(work: () => void): void;
  /** Runs `work` once what is being written is committed (at once outside a transaction), never after a rollback. */
  afterCommit(work: () => void): void;
  /** Null while everything is on the disk. */
  readonly trouble: Trouble | null;
  /** Called when trouble begins and, with null, when it is over. At most one listener. */
  onTrouble(listener: (trouble: Trouble | null, before: Trouble | null) => void): void;
  /** Throws DROVER_STATE_UNWRITABLE where the disk takes no write at this moment. */
  assertWritable(): void;
  /** Tries to write what is remembered; returns whether the state can be written. */
  retry(): boolean;
  /** For a backup; null while the state is not wholly on the disk. */
  readonly connection: DatabaseSync | null;
  close(): void;
}

export interface DatabaseSource {
  readonly file: string;
  readonly clock: Clock;
  /** Opens the state; again when it is to be moved from memory to the disk. */
  readonly open: () => { readonly connection: DatabaseSync; readonly onlyInMemory: string | null };
  /** The file is gone, another one than was opened, or was truncated. */
  readonly isLost?: () => boolean;
  /** Writes the whole state, from the connection that still has it, to where its file was. */
  readonly rewrite?: (connection: DatabaseSync) => void;
  /** Calls again and again until it is called off; without it, by timers that keep no process alive. */
  readonly every?: (ms: number, call: () => void) => () => void;
}

const everyUnref = (ms: number, call: () => void): (() => void) => {
  const timer = setInterval(call, ms).unref();
  return () => clearInterval(timer);
};

/** Of a state that cannot be written; a disk that is full stays so for minutes. */
const RETRY_MS = 5_000;
/** Whether the file is still there; changes look at once. */
const LOOK_MS = 60_000;

export function openDatabase(source: DatabaseSource): Database {
  const { file, clock, open, isLost = () => false, rewrite, every = everyUnref } = source;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw diskTroubleOf(cause) === null && !isSqliteError(cause) ? cause : toStateError(file, cause);
    }
  };
  const first = guarded(open);
  const kept = new Kept();
  let { connection } = first;
  let isInTransaction = false;
  let waiting: (() => void)[] = [];
  /** What is collected to be kept together. */
  let together: { readonly writes: KeptWrite[]; readonly after: (() => void)[] } | null = null;
  let trouble: { readonly sinceMs: number; reason: string; isDamaged: boolean } | null = null;
  let isOnlyInMemory = first.onlyInMemory !== null;
  /** An open transaction of the connection holds what is remembered, so that readers see it. */
  let isHolding = false;
  let endRetries: (() => void) | null = null;
  let tell: (trouble: Trouble | null, before: Trouble | null) => void = () => {};

  const describeTrouble = (): Trouble | null =>
    trouble === null ? null : { ...trouble, kept: kept.size, dropped: kept.dropped };

  const enter = (reason: string, isDamaged = false): void => {
    trouble = { sinceMs: clock.wallMs(), reason, isDamaged };
    endRetries ??= every(RETRY_MS, retry);
  };

  const rollBack = (): void => {
    isHolding = false;
    // SQLite has already rolled back by itself after some failures (a full disk).
    if (connection.isTransaction) connection.exec('ROLLBACK');
  };

  const synced = <T>(work: () => T): T => {
    // Not allowed inside a transaction, so every outermost one is a synced one.
    guarded(() => connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE'));
    isInTransaction = true;
    try {
      const result = work();
      guarded(() => connection.exec('COMMIT; PRAGMA synchronous = NORMAL'));
      isInTransaction = false;
      const committed = waiting;
      waiting = [];
      for (const after of committed) after();
      return result;
    } catch (error) {
      if (isInTransaction) {
        isInTransaction = false;
        waiting = [];
        guarded(rollBack);
        guarded(() => connection.exec('PRAGMA synchronous = NORMAL'));
      }
      throw error;
    }
  };

  /** Shows readers what is remembered, by a transaction that stays open. A damaged file may not even take that. */
  const hold = (): void => {
    if (isHolding || isOnlyInMemory) return;
    try {
      connection.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
      // Something is written in any case: else its commit would tell nothing of the disk.
      connection.exec(`PRAGMA user_version = ${versionOf(connection)}`);
      kept.replay();
      isHolding = true;
    } catch (error) {
      rollBack();
      if (trouble !== null) blame(trouble, error);
    }
  };

  const retry = (): boolean => {
    if (trouble === null) return true;
    const before = describeTrouble();
    try {
      if (isOnlyInMemory) moveToFile();
      else if (isLost()) replaceLost();
      else {
        hold();
        if (!isHolding) return false;
        connection.exec('COMMIT; PRAGMA synchronous = NORMAL');
      }
    } catch (error) {
      // Whatever it was (the folder may be gone as well), it is tried again.
      rollBack();
      blame(trouble, error);
      hold();
      return false;
    }
    isHolding = false;
    kept.clear();
    trouble = null;
    endRetries?.();
    endRetries = null;
    tell(null, before);
    return true;
  };

  /** From memory, or from a file that is gone, to the file that is there now; throws where it cannot be written. */
  const moveToFile = (): void => {
    const opened = open();
    if (opened.onlyInMemory !== null) {
      opened.connection.close();
      throw new Error(opened.onlyInMemory);
    }
    const before = connection;
    connection = opened.connection;
    try {
      synced(() => kept.replay());
    } catch (error) {
      connection.close();
      connection = before;
      throw error;
    }
    before.close();
    isOnlyInMemory = false;
  };

  const replaceLost = (): void => {
    if (rewrite === undefined) return;
    rollBack();
    rewrite(connection);
    moveToFile();
  };

  const refusal = (): DroverError =>
    new DroverError('DROVER_STATE_UNWRITABLE', { file, message: trouble?.reason, isDamaged: trouble?.isDamaged });

  const noteTrouble = (error: unknown): boolean => {
    if (diskTroubleOf(error) === null) return false;
    if (trouble === null) enter(systemMessageOf(error), diskTroubleOf(error) === 'damaged');
    return true;
  };

  const keepAll = (writes: readonly KeptWrite[], isSynced: boolean): void => {
    const writeAll = (): void => writes.forEach(({ write }) => write());
    const isNew = trouble === null;
    if (isNew) {
      try {
        return isSynced ? synced(writeAll) : writeAll();
      } catch (error) {
        if (!noteTrouble(error)) throw error;
      }
    }
    for (const { key, write, replaces } of writes) kept.add(key, write, replaces);
    if (isOnlyInMemory || isHolding) {
      try {
        writeAll();
      } catch (error) {
        if (diskTroubleOf(error) === null) throw error;
        rollBack();
      }
    } else hold();
    if (isNew) tell(describeTrouble(), null);
  };

  if (first.onlyInMemory !== null) enter(first.onlyInMemory);
  const look = (): void => {
    if (trouble !== null || isOnlyInMemory || !isLost()) return;
    enter('its file is gone or was truncated');
    tell(describeTrouble(), null);
    retry();
  };
  const endLooks = rewrite === undefined ? null : every(LOOK_MS, look);

  const database: Database = {
    file,
    prepare(sql) {
      let owner: DatabaseSync | null = null;
      let statement: ReturnType<DatabaseSync['prepare']>;
      // Again for each connection: the state may move from memory to the disk.
      const current = (): typeof statement => {
        if (owner !== connection) {
          statement = connection.prepare(sql);
          owner = connection;
        }
        return statement;
      };
      return {
        run: (parameters = {}) => guarded(() => Number(current().run(parameters).changes)),
        find: (parameters = {}) => guarded(() => current().get(parameters)),
        list: (parameters = {}) => guarded(() => current().all(parameters)),
      };
    },
    assertWritable() {
      // What is already there, once more.
      database.transaction(() => guarded(() => connection.exec(`PRAGMA user_version = ${versionOf(connection)}`)));
    },
    transaction(work) {
      if (isInTransaction) return work();
      if (trouble === null && isLost()) enter('its file is gone or was truncated');
      if (!retry()) throw refusal();
      try {
        return synced(work);
      } catch (error) {
        if (!noteTrouble(error)) throw error;
        tell(describeTrouble(), null);
        throw refusal();
      }
    },
    keep(key, write, { isSynced = false, replaces = [] } = {}) {
      if (isInTransaction) write();
      else if (together !== null) together.writes.push({ key, write, replaces });
      else keepAll([{ key, write, replaces }], isSynced);
    },
    keepTogether(work) {
      if (isInTransaction || together !== null) return work();
      const collected = { writes: [], after: [] as (() => void)[] };
      together = collected;
      try {
        work();
      } finally {
        together = null;
      }
      keepAll(collected.writes, true);
      for (const after of collected.after) after();
    },
    afterCommit(work) {
      if (isInTransaction) waiting.push(work);
      else if (together !== null) together.after.push(work);
      else work();
    },
    get trouble() {
      return describeTrouble();
    },
    onTrouble: (listener) => void (tell = listener),
    retry,
    get connection() {
      return trouble === null && !isInTransaction ? connection : null;
    },
    close() {
      if (!connection.isOpen) return;
      retry();
      endRetries?.();
      endLooks?.();
      rollBack();
      connection.close();
    },
  };
  return database;
}

const blame = (trouble: { reason: string; isDamaged: boolean }, error: unknown): void => {
  trouble.reason = systemMessageOf(error);
  trouble.isDamaged = diskTroubleOf(error) === 'damaged';
};

const isSqliteError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
