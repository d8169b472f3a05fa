/**
 * The composition root: opens every server room, connects them, and closes them in the opposite order. `main.ts` makes
 * a daemon of it, `run.ts` a foreground process without state on disk.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DroverService } from '../api/index.ts';
import { openLogs, type Logs } from '../logs/index.ts';
import { openDataPath, type DataPath } from '../net/index.ts';
import { bootId, readUsage } from '../os/index.ts';
import type { Clock, DaemonDocument, DispatchLevel, WorkerRecord } from '../protocol/index.ts';
import { openStore, type Store } from '../store/index.ts';
import {
  adoptWorkers,
  findStrays,
  openAgentSocket,
  REPORT_EVERY_MS,
  Supervisor,
  type App,
  type Output,
  type SupervisorEdges,
} from '../supervisor/index.ts';
import { fileOutput } from './file-output.ts';
import { CHANNEL_PREFIX, type Inherited } from './inheritance.ts';
import type { KeptDescriptor } from './guard.ts';
import { Operations } from './operations.ts';
import { resolveCommand } from './resolve-command.ts';
import { listRunDirectories, openRunDirectory } from './run-directory.ts';
import { watchState, type StateWatch } from './state-watch.ts';
import { openService } from './service/service.ts';

export interface ComposeOptions {
  readonly home: string;
  /** Database file, or `':memory:'`. */
  readonly stateFile: string;
  readonly clock: Clock;
  readonly inherited: Inherited;
  readonly level: DispatchLevel | null;
  /** Workers go on when this process dies. */
  readonly keepsWorkers: boolean;
  /** Where workers write; without it, to files below the home. */
  readonly output?: Output;
  readonly onDescriptorsChanged: () => void;
  readonly onShutdown: (keepWorkers: boolean) => void;
  readonly guardPid: () => number | null;
  /** A line for the daemon's log. */
  readonly log: (line: string) => void;
}

export interface Drover {
  readonly service: DroverService;
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  /** See `ApiOptions`. */
  readonly notice: () => string | null;
  /** Everything that must outlive this process. */
  kept(): readonly KeptDescriptor[];
  /** Takes back what an earlier daemon left running, and starts what should run and does not. */
  recover(): Promise<void>;
  /** Ends every worker, politely; what is wanted stays wanted. */
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

const AGENT_PATH = fileURLToPath(new URL('../../dist/agent/agent.cjs', import.meta.url));
const AGENT_SOCKET = 'agents.sock';
const UNIQUE_BYTES = 9;

export const compose = async (options: ComposeOptions): Promise<Drover> => {
  const { home, clock, inherited } = options;
  const runDirectory = openRunDirectory(home);
  const store = openStore({ file: options.stateFile, clock, random: Math.random, version: VERSION });
  const state = watchState(store, options.log);
  const operations = new Operations(store);
  const dataPath = openDataPath({
    ...(options.level === null ? {} : { level: options.level }),
    clock,
    socketFolder: runDirectory,
    adopt: inherited.sockets,
    // Covers come and go with every short stall; they are shown live (`ls`), not kept as history.
    onEvent: (event) => {
      if (event.type === 'descriptors-changed') options.onDescriptorsChanged();
    },
  });
  const logs = openLogs({
    home,
    isAlive: ({ app, slot, generation }) =>
      supervisor
        .find(app)
        ?.tenants.some(
          ({ handle }) => handle?.slot === slot && handle.generation === generation && handle.pid !== null,
        ) ?? true,
  });
  const edges: SupervisorEdges = {
    clock,
    traffic: dataPath,
    records: store,
    output:
      options.output ??
      fileOutput(logs, {
        home,
        clock,
        uidOf: (app) => supervisor.find(app)?.uid ?? null,
        onLost: (app, slot, reason) =>
          void store.events.append({ app, worker: `${app}/${slot}`, type: 'output-lost', reason }),
      }),
    resolveCommand,
    newId: () => randomBytes(UNIQUE_BYTES).toString('base64url'),
    agentPath: AGENT_PATH,
    keepsWorkers: options.keepsWorkers,
    socketPath: join(runDirectory, AGENT_SOCKET),
    bootId: bootId(),
    onDescriptorsChanged: options.onDescriptorsChanged,
  };
  const supervisor: Supervisor = new Supervisor(edges, {
    onWanted: (app, wanted) => void store.apps.change(app.app, { wanted }),
    onState: (app) => saveApp(store, app),
    onOperation: (_app, run) => operations.note(run),
  });
  const agentSocket = await openAgentSocket({
    path: edges.socketPath,
    claim: (spawnId, link) => supervisor.claimLink(spawnId, link),
  });

  const startedAt = clock.wallMs();
  /** Workers of apps that are not known (any more). */
  let strays: readonly WorkerRecord[] = [];
  const service = openService({
    supervisor,
    store,
    logs,
    operations,
    clock,
    logHome: home,
    status: () => describeDaemon({ options, supervisor, dataPath, startedAt, state }),
    adoptStrays(app) {
      adoptAll(app, strays, inherited, store);
      strays = strays.filter((stray) => stray.app !== app.app);
    },
    onShutdown: options.onShutdown,
  });

  return {
    service,
    supervisor,
    store,
    logs,
    notice: () => state.notice(),
    kept: () => [...dataPath.inventory(), ...channelsOf(supervisor)],
    async recover() {
      const socketPaths = listRunDirectories(home).map((directory) => join(directory, AGENT_SOCKET));
      strays = recover({ supervisor, store, logs, inherited, clock, socketPaths });
    },
    stopWorkers: () => supervisor.stopAll(),
    async close() {
      supervisor.close();
      await agentSocket.close();
      dataPath.close();
      logs.close();
      store.close();
    },
  };
};

const channelsOf = (supervisor: Supervisor): readonly KeptDescriptor[] =>
  supervisor.apps.flatMap((app) =>
    app.liveHandles().flatMap((handle) => {
      const fd = handle.link?.keptDescriptor ?? null;
      return fd === null ? [] : [{ name: `${CHANNEL_PREFIX}${handle.holderId}`, fd }];
    }),
  );

const saveApp = (store: Store, app: App): void => {
  const { config, wanted, release, instances, readySignalSeen } = app.lasting;
  // Changes nothing for an app that is being deleted: there is nothing to write any more.
  store.apps.note(app.app, { config, wanted, release, instances, readySignalSeen });
};

interface Recovery {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  readonly inherited: Inherited;
  readonly clock: Clock;
  readonly socketPaths: readonly string[];
}

/** Returns the workers that run and belong to no app that is known. */
const recover = ({ supervisor, store, logs, inherited, clock, socketPaths }: Recovery): readonly WorkerRecord[] => {
  const { edges } = supervisor;
  const known = new Set(store.workers.list().map(({ spawn }) => spawn));
  // A home without a past has none, and the look at every process would be in vain.
  const isNew = !inherited.isRecovery && store.condition.fallBack === null && store.apps.list().length === 0;
  let strays = isNew ? [] : findStrays({ socketPaths, known, bootId: edges.bootId, wallMs: clock.wallMs() });
  for (const record of store.apps.list()) {
    const { name, config, release, instances, wanted, readySignalSeen } = record;
    const app = supervisor.add({ config, release, instances, wanted, readySignalSeen });
    logs.watch(name);
    const own = strays.filter((stray) => stray.app === name);
    strays = strays.filter((stray) => stray.app !== name);
    adoptAll(app, [...store.workers.list(name), ...own], inherited, store);
    endInterrupted(store, name);
    if (wanted === 'up') supervisor.resume(app);
    else for (const tenant of app.tenants) tenant.stop();
  }
  for (const { app, slot, pid } of strays) {
    const reason = `pid ${pid} is a worker of an app that is not known; it is left alone, and adopted when ${app} is started`;
    store.events.append({ app, worker: `${app}/${slot}`, type: 'worker-stray', reason, data: { pid } });
  }
  return strays;
};

/** Those of the app among the workers; what was found without a record gets one first. */
const adoptAll = (app: App, workers: readonly WorkerRecord[], inherited: Inherited, store: Store): void => {
  const own = workers.filter((worker) => worker.app === app.app);
  for (const worker of own) store.workers.put(worker);
  adoptWorkers(app, own, {
    channels: inherited.channels,
    bootId: app.edges.bootId,
    daemonId: String(process.pid),
    reportEveryMs: REPORT_EVERY_MS,
  });
};

/** An operation that its daemon did not finish: its workers are as the records say, and it is told that way. */
const endInterrupted = (store: Store, app: string): void => {
  for (const operation of store.operations.list({ app, status: 'running' })) {
    const reason = 'the daemon was restarted before it ended';
    const never = { p50: null, p99: null };
    store.operations.end(operation.id, 'failed', {
      operation: operation.id,
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
    store.events.append({ app, type: 'operation-ended', reason: `${operation.kind} failed: ${reason}` });
  }
};

interface Described {
  readonly options: ComposeOptions;
  readonly supervisor: Supervisor;
  readonly dataPath: DataPath;
  readonly startedAt: number;
  readonly state: StateWatch;
}

const describeDaemon = ({ options, supervisor, dataPath, startedAt, state }: Described): DaemonDocument => ({
  running: true,
  pid: process.pid,
  version: VERSION,
  startedAt: new Date(startedAt).toISOString(),
  home: options.home,
  rssBytes: readUsage(process.pid)?.rssBytes ?? null,
  apps: supervisor.apps.length,
  workers: supervisor.apps.reduce((sum, app) => sum + app.liveHandles().length, 0),
  dispatch: dataPath.level,
  guardPid: options.guardPid(),
  state: state.describe(),
});
