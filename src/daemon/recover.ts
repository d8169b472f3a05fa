/**
 * Takes back what an earlier daemon left: its apps, their workers that still run, and the operations that it had begun.
 */
import type { Logs } from '../logs/index.ts';
import type { Store } from '../store/index.ts';
import { adoptWorkers, readMemory, REPORT_EVERY_MS, type App, type Supervisor } from '../supervisor/index.ts';
import type { Inherited } from './inheritance.ts';

interface RecoverParts {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  readonly inherited: Inherited;
}

/** All apps first, then their operations: one may wait for another app's. */
export const recover = ({ supervisor, store, logs, inherited }: RecoverParts): void => {
  for (const record of store.apps.list()) {
    const { name, config, release, instances, wanted, readySignalSeen } = record;
    const app = supervisor.add({ config, release, instances, wanted, readySignalSeen });
    logs.watch(name);
    takeOverOperations(store, app);
    adoptWorkers(app, store.workers.list(name), {
      channels: inherited.channels,
      bootId: supervisor.edges.bootId,
      daemonId: String(process.pid),
      reportEveryMs: REPORT_EVERY_MS,
    });
  }
  for (const app of supervisor.apps) {
    const before = app.state.config.dependsOn.flatMap((name) => supervisor.find(name)?.operation?.ended ?? []);
    supervisor.resume(app, Promise.all(before));
  }
};

/** What the daemon before this one had begun goes on; what another version began, and this one cannot read, is ended. */
const takeOverOperations = (store: Store, app: App): void => {
  for (const { id, kind, startedAtMs, state } of store.operations.list({ app: app.app, status: 'running' })) {
    const memory = readMemory(state);
    if (memory !== null && app.operation === null) app.takeOver({ id, kind, startedAtMs, memory });
    else endUnreadable(store, { id, kind, app: app.app });
  }
};

type Unreadable = Pick<ReturnType<Store['operations']['list']>[number], 'id' | 'kind' | 'app'>;

const endUnreadable = (store: Store, { id, kind, app }: Unreadable): void => {
  const reason = 'the daemon was replaced by another version before it ended';
  const never = { p50: null, p99: null };
  store.operations.end(id, 'failed', {
    operation: id,
    app,
    from: null,
    to: null,
    outcome: 'failed',
    reason,
    durationMs: 0,
    requests: { served: 0, failed: 0, lost: 0, unknown: 0, refused: 0, upgradesClosed: 0, upgradesCut: 0 },
    latencyMs: { before: never, during: never, after: never },
    steps: [],
  });
  store.events.append({ app, type: 'operation-ended', reason: `${kind} failed: ${reason}` });
};
