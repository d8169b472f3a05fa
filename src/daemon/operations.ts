/** Every operation that is known: those under way in the supervisor, the ended ones in the store. */
import { EventEmitter, on } from 'node:events';
import { DroverError, type OperationDocument } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';
import type { OperationRun } from '../supervisor/index.ts';

type Recorded = NonNullable<ReturnType<Store['operations']['find']>>;

export class Operations {
  readonly #store: Store;
  readonly #live = new Map<string, OperationRun>();
  readonly #changes = new EventEmitter<{ changed: [OperationDocument] }>();

  constructor(store: Store) {
    this.#store = store;
    // One listener for each client that waits.
    this.#changes.setMaxListeners(0);
  }

  note(run: OperationRun): void {
    if (run.isRunning) this.#live.set(run.id, run);
    else this.#live.delete(run.id);
    this.#changes.emit('changed', run.document);
  }

  find(id: string): OperationRun | null {
    return this.#live.get(id) ?? null;
  }

  /** Throws DROVER_OPERATION_UNKNOWN. */
  get(id: string): OperationDocument {
    const live = this.#live.get(id);
    if (live !== undefined) return live.document;
    const record = this.#store.operations.find(id);
    if (record === undefined) throw new DroverError('DROVER_OPERATION_UNKNOWN', { operation: id });
    return documentOf(record);
  }

  list(app: string | null): OperationDocument[] {
    const records = this.#store.operations.list({ ...(app === null ? {} : { app }), limit: 100 });
    return records.map((record) => this.#live.get(record.id)?.document ?? documentOf(record));
  }

  async *watch(id: string, signal: AbortSignal): AsyncGenerator<OperationDocument, void, void> {
    const changes = on(this.#changes, 'changed', { signal });
    let current = this.get(id);
    yield current;
    if (current.status === 'done') return;
    try {
      for await (const [document] of changes as AsyncIterable<[OperationDocument]>) {
        if (document.id !== id) continue;
        current = document;
        yield current;
        if (current.status === 'done') return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const documentOf = (record: Recorded): OperationDocument => ({
  id: record.id,
  kind: record.kind,
  app: record.app,
  status: record.status,
  startedAt: new Date(record.startedAtMs).toISOString(),
  endedAt: record.endedAtMs === null ? null : new Date(record.endedAtMs).toISOString(),
  phase: record.phase,
  receipt: record.receipt,
});
