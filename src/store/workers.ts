/**
 * Adoption records: what a new daemon needs to know its predecessor's workers again, one row per live process. Written
 * at spawn and at each change of phase, removed when the exit has been dealt with. One that ended for good keeps its row
 * until another process holds its slot.
 */
import type { Exit, Lane, WorkerRecord, WorkerRecordKey, WorkerRole } from '../protocol/index.ts';
import type { Database, Row } from './database.ts';
import { jsonOrNull, numberOf, textOf, textOrNull } from './json.ts';

export interface WorkerRecords {
  /** Adds or replaces the record of that slot and generation. One that holds the slot replaces any that ended in it. */
  put(worker: WorkerRecord): void;
  setPhase(key: WorkerRecordKey, phase: string): void;
  setRole(key: WorkerRecordKey, role: WorkerRole): void;
  remove(key: WorkerRecordKey): void;
  /** All of one app, or of every app; by app, slot, generation. */
  list(app?: string): WorkerRecord[];
}

export function workerRecords(database: Database): WorkerRecords {
  const put = database.prepare(`
    INSERT OR REPLACE INTO workers
      (app, slot, generation, lane, release, pid, start_ticks, boot_id, spawn, started_at_ms, phase, restarts, role,
       for_order, exit_json)
    VALUES
      (:app, :slot, :generation, :lane, :release, :pid, :startTicks, :bootId, :spawn, :startedAtMs, :phase, :restarts,
       :role, :order, :exit)`);
  const removeEnded = database.prepare(
    'DELETE FROM workers WHERE app = :app AND slot = :slot AND generation <> :generation AND exit_json IS NOT NULL',
  );
  const where = 'WHERE app = :app AND slot = :slot AND generation = :generation';
  const setPhase = database.prepare(`UPDATE workers SET phase = :phase ${where}`);
  const setRole = database.prepare(`UPDATE workers SET role = :role ${where}`);
  const remove = database.prepare(`DELETE FROM workers ${where}`);
  const list = database.prepare(
    'SELECT * FROM workers WHERE :app IS NULL OR app = :app ORDER BY app, slot, generation',
  );

  const read = (row: Row): WorkerRecord => ({
    app: textOf(row['app']),
    slot: numberOf(row['slot']),
    generation: numberOf(row['generation']),
    lane: textOf(row['lane']) as Lane,
    release: numberOf(row['release']),
    pid: numberOf(row['pid']),
    startTicks: numberOf(row['start_ticks']),
    bootId: textOf(row['boot_id']),
    spawn: textOf(row['spawn']),
    startedAtMs: numberOf(row['started_at_ms']),
    phase: textOf(row['phase']),
    restarts: numberOf(row['restarts']),
    role: textOf(row['role']) as WorkerRole,
    order: textOrNull(row['for_order']),
    exit: row['exit_json'] === null ? null : (jsonOrNull(row, 'exit_json') as Exit | null),
  });
  const idOf = ({ app, slot, generation }: WorkerRecordKey): string => `worker:${app}/${slot}#${generation}`;
  const changesOf = (key: WorkerRecordKey): string[] => [`phase-of-${idOf(key)}`, `role-of-${idOf(key)}`];
  return {
    put(worker) {
      // Named one by one: SQLite refuses names that the statement does not have, and callers pass richer objects.
      const row = {
        app: worker.app,
        slot: worker.slot,
        generation: worker.generation,
        lane: worker.lane,
        release: worker.release,
        pid: worker.pid,
        startTicks: worker.startTicks,
        bootId: worker.bootId,
        spawn: worker.spawn,
        startedAtMs: worker.startedAtMs,
        phase: worker.phase,
        restarts: worker.restarts,
        role: worker.role,
        order: worker.order,
        exit: worker.exit === null ? null : JSON.stringify(worker.exit),
      };
      const { app, slot, generation } = worker;
      const write = (): void => {
        put.run(row);
        if (worker.role === 'holder') removeEnded.run({ app, slot, generation });
      };
      database.keep(idOf(worker), write, { replaces: changesOf(worker) });
    },
    setPhase(key, phase) {
      const { app, slot, generation } = key;
      database.keep(`phase-of-${idOf(key)}`, () => void setPhase.run({ app, slot, generation, phase }));
    },
    setRole(key, role) {
      const { app, slot, generation } = key;
      database.keep(`role-of-${idOf(key)}`, () => void setRole.run({ app, slot, generation, role }));
    },
    remove(key) {
      const { app, slot, generation } = key;
      database.keep(idOf(key), () => void remove.run({ app, slot, generation }), { replaces: changesOf(key) });
    },
    list: (app) => list.list({ app: app ?? null }).map(read),
  };
}
