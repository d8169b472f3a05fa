/**
 * Takes back what an earlier daemon left: its apps, their workers that still run, also those that no record names, and
 * the operations that it had begun.
 */
import { HEALTH_DEFAULTS } from '../config/index.ts';
import type { Logs } from '../logs/index.ts';
import type { WorkerRecord } from '../protocol/index.ts';
import { FELL_BACK_KEY, type AppRecord, type Store } from '../store/index.ts';
import {
  adoptWorkers,
  describeRegained,
  isOfApp,
  readMemory,
  REPORT_EVERY_MS,
  ReceiptBook,
  type App,
  type AppState,
  type OperationMemory,
  type Stray,
  type Supervisor,
} from '../supervisor/index.ts';
import type { Inherited } from './inheritance.ts';

interface RecoverParts {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  readonly inherited: Inherited;
  /** What kept that, in words. */
  readonly broughtBackBy: string;
  /** Name the home: the sockets that its agents may have been told. */
  readonly socketPaths: readonly string[];
}

/** All apps first, then their operations: one may wait for another app's. Returns the workers of apps that are not known. */
export const recover = (parts: RecoverParts): readonly Stray[] => {
  const { supervisor, store, logs, inherited } = parts;
  let strays = findStrays(parts);
  for (const record of store.apps.list()) {
    const { name } = record;
    const app = supervisor.add(stateOf(record));
    logs.watch(name);
    takeOverOperations(store, app);
    const own = strays.filter(({ record: { app: of } }) => of === name);
    strays = strays.filter(({ record: { app: of } }) => of !== name);
    adopt(app, store.workers.list(name), own, inherited);
  }
  if (store.meta.find(FELL_BACK_KEY) !== undefined) store.meta.remove(FELL_BACK_KEY);
  for (const app of supervisor.apps) {
    const before = app.state.config.dependsOn.flatMap((name) => supervisor.find(name)?.operation?.ended ?? []);
    supervisor.resume(app, Promise.all(before));
    tellRegained(parts, app);
  }
  for (const { app, slot, pid } of strays.map(({ record: each }) => each)) {
    const reason = `pid ${pid} is a worker of an app that is not known; it is left alone, and adopted when ${app} is started`;
    store.events.append({ app, worker: `${app}/${slot}`, type: 'worker-stray', reason, data: { pid } });
  }
  return strays;
};

const stateOf = ({ config, release, instances, wanted, stoppedSlots, readySignalSeen }: AppRecord): AppState => ({
  // One that an earlier Drover recorded says nothing about health.
  config: { ...HEALTH_DEFAULTS, ...config },
  release,
  instances,
  wanted,
  stoppedSlots,
  readySignalSeen,
});

const tellRegained = ({ store, broughtBackBy }: RecoverParts, { app, regained }: App): void => {
  const reason = describeRegained(regained, broughtBackBy);
  if (reason !== null) store.events.append({ app, type: 'descriptors-regained', reason, data: { ...regained } });
};

/** A worker whose process was only about to be started has a record, and is looked for by that (`adoption-run.ts`). */
const findStrays = ({ supervisor, store, inherited, socketPaths }: RecoverParts): readonly Stray[] => {
  // A home without a past has none, and the look at every process would be in vain.
  const isNew = !inherited.isRecovery && store.condition.fallBack === null && store.apps.list().length === 0;
  if (isNew) return [];
  const { processes, bootId, clock } = supervisor.edges;
  const known = new Set(store.workers.list().map(({ spawn }) => spawn));
  return processes.findStrays({ socketPaths, known, bootId, wallMs: clock.wallMs() });
};

/** Takes over the app's workers; the strays among them get a record first. */
export const adopt = (
  app: App,
  known: readonly WorkerRecord[],
  strays: readonly Stray[],
  { channels }: Inherited,
): void => {
  const { records, bootId } = app.edges;
  const believed = strays.filter((stray) => isOfApp(app, stray)).map(({ record }) => record);
  for (const record of believed) records.workers.put(record);
  const daemonId = String(process.pid);
  adoptWorkers(app, [...known, ...believed], { channels, bootId, daemonId, reportEveryMs: REPORT_EVERY_MS });
};

/** What the daemon before this one had begun goes on, where that can be. */
const takeOverOperations = (store: Store, app: App): void => {
  for (const { id, kind, startedAtMs, state } of store.operations.list({ app: app.app, status: 'running' })) {
    const memory = readMemory(state);
    const obstacle = findObstacle(store, memory);
    if (memory !== null && obstacle === null && app.operation === null) {
      app.takeOver({ id, kind, startedAtMs, memory });
    } else {
      endUnfinished(
        store,
        { id, kind, app: app.app, startedAtMs, endedAtMs: app.edges.clock.wallMs(), memory },
        obstacle ?? 'another one of this app had not ended either',
      );
    }
  }
};

/** Now, or before a daemon that died before it had ended what the backup takes for unfinished. */
const hasFallenBack = ({ condition, meta }: Store): boolean =>
  condition.fallBack !== null || meta.find(FELL_BACK_KEY) !== undefined;

/** Why an operation cannot go on; null: it can. */
const findObstacle = (store: Store, memory: OperationMemory | null): string | null => {
  // It may have ended since, and the app may be another one of that name by now.
  if (hasFallenBack(store)) return 'the state fell back to a backup in which it had not ended';
  if (memory === null) return 'the daemon was replaced by another version before it ended';
  const { kind, isAsked } = memory.plan;
  // Nobody wanted the app stopped: its workers were to end with their daemon, and here is the next one.
  if (kind === 'stop' && !isAsked) return 'the daemon was killed while it ended its workers';
  return null;
};

interface Unfinished extends Pick<
  ReturnType<Store['operations']['list']>[number],
  'id' | 'kind' | 'app' | 'startedAtMs'
> {
  readonly endedAtMs: number;
  readonly memory: OperationMemory | null;
}

/** It lasted until now: nobody knows when it stood still. */
export const endUnfinished = (store: Store, unfinished: Unfinished, why: string): void => {
  const { id, kind, app, startedAtMs, endedAtMs, memory } = unfinished;
  const reason = memory === null ? `${why}; its requests were not counted` : why;
  store.operations.end(id, 'failed', {
    operation: id,
    app,
    from: null,
    to: null,
    outcome: 'failed',
    reason,
    durationMs: Math.max(0, Math.round(endedAtMs - startedAtMs)),
    ...new ReceiptBook(memory?.receipt).figures(),
    steps: memory?.steps ?? [],
  });
  const data = { operation: id, kind, outcome: 'failed' };
  store.events.append({ app, type: 'operation-ended', reason: `${kind} failed: ${reason} (operation ${id})`, data });
};
