/**
 * The composition root: opens every server room, connects them, and closes them in the opposite order. `main.ts` makes
 * a daemon of it, `run.ts` a foreground process without state on disk.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DroverService } from '../api/index.ts';
import { lastLines, openLogs, readLastWords, type Logs } from '../logs/index.ts';
import { openDataPath, type DataPath } from '../net/index.ts';
import { bootId, readUsage } from '../os/index.ts';
import type { Clock, DaemonDocument, DispatchLevel } from '../protocol/index.ts';
import { openStore, type Store } from '../store/index.ts';
import {
  adoptWorkers,
  openAgentSocket,
  REPORT_EVERY_MS,
  Supervisor,
  type App,
  type Output,
  type SupervisorEdges,
} from '../supervisor/index.ts';
import { CHANNEL_PREFIX, type Inherited } from './inheritance.ts';
import type { KeptDescriptor } from './guard.ts';
import { Operations } from './operations.ts';
import { resolveCommand } from './resolve-command.ts';
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
}

export interface Drover {
  readonly service: DroverService;
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
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
const UNIQUE_BYTES = 9;

export const compose = async (options: ComposeOptions): Promise<Drover> => {
  const { home, clock, inherited } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const runDirectory = join(home, 'run');
  mkdirSync(runDirectory, { recursive: true, mode: 0o711 });
  const store = openStore({ file: options.stateFile, clock, random: Math.random });
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
    output: options.output ?? fileOutput(logs, options, (app) => supervisor.find(app)?.uid ?? null),
    resolveCommand,
    newId: () => randomBytes(UNIQUE_BYTES).toString('base64url'),
    agentPath: AGENT_PATH,
    keepsWorkers: options.keepsWorkers,
    socketPath: join(runDirectory, 'agents.sock'),
    bootId: bootId(),
    onDescriptorsChanged: options.onDescriptorsChanged,
  };
  const supervisor: Supervisor = new Supervisor(edges, {
    onState: (app) => saveApp(store, app),
    onOperation: (_app, run) => operations.note(run),
  });
  const agentSocket = await openAgentSocket({
    path: edges.socketPath,
    claim: (spawnId, link) => supervisor.claimLink(spawnId, link),
  });

  const startedAt = clock.wallMs();
  const service = openService({
    supervisor,
    store,
    logs,
    operations,
    clock,
    logHome: home,
    status: () => describeDaemon(options, supervisor, dataPath, startedAt),
    onShutdown: options.onShutdown,
  });

  return {
    service,
    supervisor,
    store,
    logs,
    kept: () => [...dataPath.inventory(), ...channelsOf(supervisor)],
    recover: () => recover(supervisor, store, logs, inherited),
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

const fileOutput = (logs: Logs, { home, clock }: ComposeOptions, uidOf: (app: string) => number | null): Output => ({
  open(app, slot, generation) {
    const log = logs.openWorker({ app, slot, generation, uid: uidOf(app) });
    return { stdoutFd: log.stdout, stderrFd: log.stderr, close: () => log.close() };
  },
  async lastLines(app, slot, generation, count) {
    const lines = await lastLines({ home, app, slot, generation }, count, clock);
    return lines.map(({ line }) => line);
  },
  lastWords: (app, slot, generation) => readLastWords({ home, app, slot, generation }),
});

const channelsOf = (supervisor: Supervisor): readonly KeptDescriptor[] =>
  supervisor.apps.flatMap((app) =>
    app.liveHandles().flatMap((handle) => {
      const fd = handle.link?.keptDescriptor ?? null;
      return fd === null ? [] : [{ name: `${CHANNEL_PREFIX}${handle.holderId}`, fd }];
    }),
  );

const saveApp = (store: Store, app: App): void => {
  const { config, wanted, release, instances, readySignalSeen } = app.state;
  // Returns false for an app that is being deleted: there is nothing to write any more.
  store.apps.change(app.app, { config, wanted, release, instances, readySignalSeen });
};

const recover = async (supervisor: Supervisor, store: Store, logs: Logs, inherited: Inherited): Promise<void> => {
  for (const record of store.apps.list()) {
    const { name, config, release, instances, wanted, readySignalSeen } = record;
    const app = supervisor.add({ config, release, instances, wanted, readySignalSeen });
    logs.watch(name);
    const workers = store.workers.list(name);
    adoptWorkers(app, workers, {
      channels: inherited.channels,
      bootId: supervisor.edges.bootId,
      daemonId: String(process.pid),
      reportEveryMs: REPORT_EVERY_MS,
    });
    endInterrupted(store, name);
    if (wanted === 'up') supervisor.resume(app);
    else for (const tenant of app.tenants) tenant.stop();
  }
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

const describeDaemon = (
  options: ComposeOptions,
  supervisor: Supervisor,
  dataPath: DataPath,
  startedAt: number,
): DaemonDocument => ({
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
});
