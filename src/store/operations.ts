/**
 * Operations: work that takes time, written at each step so that a new daemon resumes it or puts it back. An operation
 * ends exactly once; ending it again changes nothing.
 */
import type { Clock, OperationKind, OperationStatus, ReceiptDocument, RequestKey } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { isSet, jsonOrNull, numberOf, numberOrNull, textOf, textOrNull } from './json.ts';
import { nextOperationId } from './operation-id.ts';

export interface OperationRecord {
  readonly id: string;
  readonly kind: OperationKind;
  readonly app: string;
  readonly status: OperationStatus;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** Phase of its machine (`core/operation.ts`), in words. */
  readonly phase: string;
  /** What the machine needs to go on; this room does not interpret it. */
  readonly state: unknown;
  readonly receipt: ReceiptDocument | null;
}

export interface OperationBegin extends Pick<OperationRecord, 'kind' | 'app' | 'phase' | 'state'> {
  /** The request that asked for it, where it may be sent again. */
  readonly request?: RequestKey | null;
}

/** An operation that a request with a key has begun. */
export interface BegunOperation {
  readonly id: string;
  readonly app: string;
  readonly digest: string;
  /** All that the request asked for has begun. */
  readonly isWhole: boolean;
}

export interface OperationQuery {
  readonly app?: string;
  readonly status?: OperationStatus;
  readonly limit?: number;
}

export interface OperationRecords {
  /** Writes a new operation, `running` from now, and gives it its id. Synced to the disk. Refused where it is full. */
  begin(operation: OperationBegin): OperationRecord;
  /** The same for what nobody asked for and what must go on whatever the disk takes; never refused. */
  beginUnasked(operation: OperationBegin): OperationRecord;
  /** Notes where a running operation is; nothing where there is no such running operation. Never refused. */
  advance(id: string, phase: string, state: unknown): void;
  /** Ends it with its receipt; nothing where it had ended already or never was. Synced to the disk; never refused. */
  end(id: string, phase: string, receipt: ReceiptDocument): void;
  find(id: string): OperationRecord | undefined;
  /** What was begun by the request of that key, oldest first; it is forgotten with the operations. */
  listBegunBy(key: string): readonly BegunOperation[];
  /** Notes that the request of that key has begun all that it asks for. Never refused. */
  noteWhole(key: string): void;
  /** Newest first. */
  list(query?: OperationQuery): OperationRecord[];
}

/** Ended operations kept; what is running is never removed. */
const KEPT = 1_000;

export function operationRecords(database: Database, clock: Clock, random: () => number): OperationRecords {
  const insert = database.prepare(`
    INSERT OR REPLACE INTO operations
      (id, kind, app, status, started_at_ms, ended_at_ms, phase, state_json, receipt_json, request_key, request_digest)
    VALUES (:id, :kind, :app, 'running', :startedAtMs, NULL, :phase, :state, NULL, :key, :digest)`);
  const advance = database.prepare(`
    UPDATE operations SET phase = :phase, state_json = :state WHERE id = :id AND status = 'running'`);
  const end = database.prepare(`
    UPDATE operations SET status = 'done', ended_at_ms = :endedAtMs, phase = :phase, receipt_json = :receipt
    WHERE id = :id AND status = 'running'`);
  const prune = database.prepare(`
    DELETE FROM operations WHERE status = 'done'
      AND id <= (SELECT id FROM operations ORDER BY id DESC LIMIT 1 OFFSET :kept)`);
  const greatest = database.prepare('SELECT max(id) AS id FROM operations');
  const find = database.prepare('SELECT * FROM operations WHERE id = :id');
  const begunBy = database.prepare(`
    SELECT id, app, request_digest, request_done FROM operations WHERE request_key = :key ORDER BY id`);
  const whole = database.prepare('UPDATE operations SET request_done = 1 WHERE request_key = :key');
  const list = database.prepare(`
    SELECT * FROM operations WHERE (:app IS NULL OR app = :app) AND (:status IS NULL OR status = :status)
    ORDER BY id DESC LIMIT :limit`);

  const read = (row: Row): OperationRecord => ({
    id: textOf(row['id']),
    kind: textOf(row['kind']) as OperationKind,
    app: textOf(row['app']),
    status: textOf(row['status']) as OperationStatus,
    startedAtMs: numberOf(row['started_at_ms']),
    endedAtMs: numberOrNull(row['ended_at_ms']),
    phase: textOf(row['phase']),
    state: jsonOrNull(row, 'state_json'),
    receipt: jsonOrNull(row, 'receipt_json') as ReceiptDocument | null,
  });
  let last = textOrNull(greatest.find()?.['id']);
  const next = ({ kind, app, phase, state }: OperationBegin): OperationRecord => {
    const startedAtMs = clock.wallMs();
    last = nextOperationId({ wallMs: startedAtMs, previous: last, random: random() });
    return { id: last, kind, app, status: 'running', startedAtMs, endedAtMs: null, phase, state, receipt: null };
  };
  const add = ({ id, kind, app, startedAtMs, phase, state }: OperationRecord, request: RequestKey | null): void => {
    const { key, digest } = request ?? { key: null, digest: null };
    insert.run({ id, kind, app, startedAtMs, phase, state: jsonText(state), key, digest });
    prune.run({ kept: KEPT });
  };
  return {
    begin(operation) {
      const record = next(operation);
      database.transaction(() => add(record, operation.request ?? null));
      return record;
    },
    beginUnasked(operation) {
      const record = next(operation);
      database.keep(`operation:${record.id}`, () => add(record, null), { isSynced: true });
      return record;
    },
    advance(id, phase, state) {
      const row = { id, phase, state: jsonText(state) };
      database.keep(`step-of-operation:${id}`, () => void advance.run(row));
    },
    end(id, phase, receipt) {
      const row = { id, phase, endedAtMs: clock.wallMs(), receipt: JSON.stringify(receipt) };
      database.keep(`end-of-operation:${id}`, () => void end.run(row), {
        isSynced: true,
        replaces: [`step-of-operation:${id}`],
      });
    },
    find(id) {
      const row = find.find({ id });
      return row === undefined ? undefined : read(row);
    },
    listBegunBy: (key) =>
      begunBy.list({ key }).map((row) => ({
        id: textOf(row['id']),
        app: textOf(row['app']),
        digest: textOf(row['request_digest']),
        isWhole: isSet(row['request_done']),
      })),
    noteWhole(key) {
      database.keep(`whole-request:${key}`, () => void whole.run({ key }));
    },
    list: ({ app, status, limit } = {}) =>
      list.list({ app: app ?? null, status: status ?? null, limit: limit ?? -1 }).map(read),
  };
}

/** `undefined` has no JSON; nothing is kept as null. */
const jsonText = (value: unknown): string => JSON.stringify(value ?? null);
