/**
 * What is on the simulated disk, below the real store: SQLite in memory, and every commit in the order in which it was
 * made. A kill of the daemon loses nothing that was committed; when the machine goes down, what came after the last
 * synced commit may be missing, but never in the middle (SQLite's WAL with `synchronous = NORMAL`:
 * https://www.sqlite.org/wal.html); a disk that is full takes no commit; and the state may be replaced by an older one.
 * `disk.test.ts` has the same test run against this and against files.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { ReceiptDocument } from '../../src/protocol/index.ts';
import { FELL_BACK_KEY, MARK_SQL } from '../../src/store/fall-back-mark.ts';
import { migrate } from '../../src/store/migrate.ts';
import { readMemory, type OperationMemory } from '../../src/supervisor/operation-memory.ts';
import { DiskSession, type SessionHooks } from './disk-session.ts';

export type Parameters = Readonly<Record<string, SQLInputValue>>;

export interface Written {
  readonly sql: string;
  readonly parameters: Parameters;
}

interface Commit {
  readonly at: number;
  readonly writes: readonly Written[];
  readonly isSynced: boolean;
}

export interface OperationRow {
  readonly id: string;
  readonly app: string;
  readonly kind: string;
  readonly status: string;
  readonly phase: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

export interface AppRow {
  readonly name: string;
  readonly wanted: 'up' | 'stopped';
  readonly instances: number;
  readonly release: number;
  readonly stoppedSlots: readonly number[];
}

/** A connection with its prepared statements: preparing costs more than most writes do. */
export class Memory {
  readonly connection = new DatabaseSync(':memory:');
  readonly #statements = new Map<string, StatementSync>();

  constructor(image: Uint8Array | null) {
    if (image === null) migrate(this.connection);
    else this.connection.deserialize(image);
  }

  /** As it was when the schema had been made. */
  empty(): void {
    for (const table of ['apps', 'releases', 'workers', 'ports', 'operations', 'events', 'meta', 'sqlite_sequence']) {
      this.prepare(`DELETE FROM ${table}`).run();
    }
  }

  /** For the next history. */
  release(): void {
    this.empty();
    spare.push(this);
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** `full`: commits fail. `read-only`: the same, and a daemon that begins meanwhile has its state in memory. */
export type DiskCondition = 'well' | 'full' | 'read-only';

/** Emptied ones, with what they have prepared. */
const spare: Memory[] = [];

export class Disk {
  condition: DiskCondition = 'well';
  readonly #memory = spare.pop() ?? new Memory(null);
  #commits: Commit[] = [];
  /** Operations that had ended in a state that was lost since. */
  readonly #endedBefore = new Set<string>();
  readonly #now: () => number;
  readonly #onRefused: () => void;
  /** Of the daemon of the moment: the file's, and before that one of a copy in memory. */
  #sessions: DiskSession[] = [];

  /** `onRefused`: it did not take a commit. */
  constructor(now: () => number, onRefused: () => void) {
    this.#now = now;
    this.#onRefused = onRefused;
  }

  /** For one daemon; what an earlier one had not committed is gone. */
  open(hooks: SessionHooks): { readonly session: DiskSession; readonly onlyInMemory: string | null } {
    if (this.condition === 'read-only') {
      const copy = new Memory(this.#memory.connection.serialize());
      const session = new DiskSession(copy, hooks, { isRefused: () => false, commit: () => {} });
      this.#sessions.push(session);
      this.#onRefused();
      return { session, onlyInMemory: 'EROFS: read-only file system' };
    }
    const session = new DiskSession(this.#memory, hooks, {
      isRefused: () => {
        if (this.condition !== 'well') this.#onRefused();
        return this.condition !== 'well';
      },
      commit: (writes, isSynced) => void this.#commits.push({ at: this.#now(), writes, isSynced }),
    });
    this.#sessions.push(session);
    return { session, onlyInMemory: null };
  }

  /** Its daemon was killed. */
  abandon(): void {
    for (const session of this.#sessions) {
      session.abandon();
      if (session.memory !== this.#memory) session.memory.connection.close();
    }
    this.#sessions = [];
  }

  close(): void {
    this.abandon();
    this.#memory.release();
  }

  /** The machine goes down: of the commits since the last synced one the first ones survive, as many as `share` says. */
  crash(share: number): void {
    this.abandon();
    const synced = this.#commits.findLastIndex(({ isSynced }) => isSynced) + 1;
    const survivors = synced + Math.floor(share * (this.#commits.length - synced + 1));
    this.#goBackTo(survivors);
  }

  /** The file is damaged, and a backup of that time takes its place. False: nothing has changed since. */
  fallBackTo(at: number): boolean {
    this.abandon();
    const last = this.#commits.findLastIndex((commit) => commit.at <= at) + 1;
    if (last === this.#commits.length) return false;
    for (const { id } of this.operations(null, 'done')) this.#endedBefore.add(id);
    this.#goBackTo(last);
    const mark = { sql: MARK_SQL, parameters: { key: FELL_BACK_KEY, value: String(at) } };
    this.#memory.prepare(mark.sql).run(mark.parameters);
    this.#commits.push({ at: this.#now(), writes: [mark], isSynced: true });
    return true;
  }

  /** It had ended, also where the state that it fell back to does not know of that. */
  hadEnded(id: string): boolean {
    return this.#endedBefore.has(id);
  }

  /** As readers see them. */
  apps(): readonly AppRow[] {
    const sql = 'SELECT name, wanted, instances, release, stopped_slots_json AS stopped FROM apps ORDER BY name';
    const rows = this.#view.prepare(sql).all() as unknown as (AppRow & { readonly stopped: string })[];
    return rows.map(({ stopped, ...row }) => ({ ...row, stoppedSlots: JSON.parse(stopped) as number[] }));
  }

  isStopped(app: string, slot: number): boolean {
    return (
      this.apps()
        .find(({ name }) => name === app)
        ?.stoppedSlots.includes(slot) === true
    );
  }

  wantedOf(app: string): AppRow['wanted'] | null {
    const row = this.#view.prepare('SELECT wanted FROM apps WHERE name = :app').get({ app });
    return (row?.['wanted'] as AppRow['wanted'] | undefined) ?? null;
  }

  /** A worker of that mark is on record. */
  hasSpawn(spawn: string): boolean {
    return this.#view.prepare('SELECT 1 FROM workers WHERE spawn = :spawn').get({ spawn }) !== undefined;
  }

  /** The release that the last operation which was completed says that it has come to, since the app was last deleted; null: none. */
  completedRelease(app: string): number | null {
    const sql = `SELECT kind, receipt_json AS receipt FROM operations
      WHERE app = :app AND status = 'done' ORDER BY id DESC`;
    for (const { kind, receipt } of this.#view.prepare(sql).iterate({ app })) {
      const { outcome, to } = JSON.parse(String(receipt)) as ReceiptDocument;
      if (kind === 'delete' && outcome === 'completed') return null;
      if (outcome === 'completed') return to;
    }
    return null;
  }

  /** That the app has, or that an operation on record has begun with or led to. */
  releasesOf(app: string): ReadonlySet<number> {
    const plan = this.memoryOf(app)?.plan;
    const sql = `SELECT receipt_json AS receipt FROM operations WHERE app = :app AND status = 'done'`;
    const rows = this.#view.prepare(sql).all({ app });
    const receipts = rows.map(({ receipt }) => JSON.parse(String(receipt)) as ReceiptDocument);
    const row = this.apps().find(({ name }) => name === app);
    const named = [row?.release, plan?.from, plan?.to, ...receipts.flatMap(({ from, to }) => [from, to])];
    return new Set(named.filter((release) => release !== null && release !== undefined));
  }

  hasPort(app: string): boolean {
    return this.#view.prepare('SELECT 1 FROM ports WHERE app = :app').get({ app }) !== undefined;
  }

  statusOf(id: string): string | null {
    const row = this.#view.prepare('SELECT status FROM operations WHERE id = :id').get({ id });
    return (row?.['status'] as string | undefined) ?? null;
  }

  /** Of this app, or of all. */
  operations(app: string | null = null, status: string | null = null): readonly OperationRow[] {
    const sql = `SELECT id, app, kind, status, phase, started_at_ms AS startedAtMs, ended_at_ms AS endedAtMs
      FROM operations WHERE (:app IS NULL OR app = :app) AND (:status IS NULL OR status = :status) ORDER BY id`;
    return this.#view.prepare(sql).all({ app, status }) as never;
  }

  running(app: string): readonly OperationRow[] {
    return this.operations(app, 'running');
  }

  /** What the operation under way has on record; null where there is none, or nothing that can be read. */
  memoryOf(app: string): OperationMemory | null {
    const sql = `SELECT state_json AS state FROM operations WHERE app = :app AND status = 'running'`;
    const row = this.#view.prepare(sql).get({ app });
    return row === undefined ? null : readMemory(JSON.parse(String(row['state'])));
  }

  get #view(): Memory {
    return this.#sessions.findLast(({ isOpen }) => isOpen)?.memory ?? this.#memory;
  }

  #goBackTo(count: number): void {
    if (count === this.#commits.length) return;
    this.#commits = this.#commits.slice(0, count);
    this.#memory.empty();
    this.#memory.connection.exec('BEGIN');
    for (const { writes } of this.#commits)
      for (const { sql, parameters } of writes) this.#memory.prepare(sql).run(parameters);
    this.#memory.connection.exec('COMMIT');
  }
}
