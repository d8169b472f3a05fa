/**
 * What is on disk, as the store keeps it: records by table, each write one step. A kill of the daemon loses nothing that
 * was written; when the machine goes down, what was written since the last sync may be missing, but never in the middle
 * (SQLite's WAL with `synchronous = NORMAL`: https://www.sqlite.org/wal.html, "WAL mode is durable … except").
 */
import type { PortRecord, ReceiptDocument, WorkerRecord, WorkerRecordKey } from '../../src/protocol/index.ts';
import type { AppState } from '../../src/supervisor/index.ts';

export interface OperationRow {
  readonly id: string;
  readonly app: string;
  readonly kind: string;
  readonly startedAtMs: number;
  readonly phase: string;
  /** As JSON, like on a disk: nothing of it is shared with the daemon that wrote it. */
  readonly state: string;
  readonly receipt: ReceiptDocument | null;
}

interface Tables {
  readonly apps: Map<string, string>;
  readonly workers: Map<string, WorkerRecord>;
  readonly ports: Map<string, PortRecord>;
  readonly operations: Map<string, OperationRow>;
}

type Write = (tables: Tables) => void;

const copy = (tables: Tables): Tables => ({
  apps: new Map(tables.apps),
  workers: new Map(tables.workers),
  ports: new Map(tables.ports),
  operations: new Map(tables.operations),
});

export const workerKey = ({ app, slot, generation }: WorkerRecordKey): string => `${app}/${slot}#${generation}`;

export class Disk {
  tables: Tables = { apps: new Map(), workers: new Map(), ports: new Map(), operations: new Map() };
  /** Ends of operations that had not ended, by id. */
  readonly ends = new Map<string, number>();
  #synced = copy(this.tables);
  #unsynced: Write[] = [];
  #operations = 0;

  write(write: Write): void {
    write(this.tables);
    this.#unsynced.push(write);
  }

  sync(): void {
    this.#synced = copy(this.tables);
    this.#unsynced = [];
  }

  /** The machine goes down: of the writes since the last sync the first `kept` survive. */
  crash(share: number): void {
    const kept = Math.floor(share * (this.#unsynced.length + 1));
    this.tables = copy(this.#synced);
    for (const write of this.#unsynced.slice(0, kept)) write(this.tables);
    this.sync();
  }

  nextOperationId(): string {
    this.#operations += 1;
    return `op-${String(this.#operations).padStart(6, '0')}`;
  }

  saveApp(state: AppState): void {
    const text = JSON.stringify(state);
    this.write((tables) => void tables.apps.set(state.config.name, text));
    this.sync();
  }

  apps(): AppState[] {
    return [...this.tables.apps.values()].map((text) => JSON.parse(text) as AppState);
  }

  running(app: string): OperationRow[] {
    return [...this.tables.operations.values()].filter((row) => row.app === app && row.receipt === null);
  }
}
