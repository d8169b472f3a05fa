/**
 * The composition root: opens every server room, connects them, and closes them in the opposite order. `main.ts` makes
 * a daemon of it, `run.ts` a foreground process without state on disk.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DroverService } from '../api/index.ts';
import { RUN_DIRECTORY_MODE } from '../client/index.ts';
import { DEFAULT_LIMITS, openLogs, type LogFile, type Logs } from '../logs/index.ts';
import { openDataPath, sweepPrivateSockets, type DataPath } from '../net/index.ts';
import { bootId, memoryLeft, readUsage } from '../os/index.ts';
import type {
  AppConfig,
  Clock,
  DaemonDocument,
  DispatchLevel,
  UpgradeDocument,
  UpgradeStartDocument,
} from '../protocol/index.ts';
import { ownProgram } from '../program/index.ts';
import { openStore, type Store } from '../store/index.ts';
import {
  OomKills,
  openAgentSocket,
  Supervisor,
  type Stray,
  systemProcesses,
  systemSchedule,
  type App,
  type Output,
  type SupervisorEdges,
} from '../supervisor/index.ts';
import { openDaemonSettings } from './daemon-settings.ts';
import { fileOutput } from './file-output.ts';
import { openCare, openHealth } from '../health/index.ts';
import { correlateEvents } from './correlate-events.ts';
import { CHANNEL_PREFIX, type Inherited } from './inheritance.ts';
import type { KeptDescriptor } from './guard.ts';
import { nameSteps } from './named-steps.ts';
import { Operations } from './operations.ts';
import { adopt, recover } from './recover.ts';
import { watchOutput } from './output-watch.ts';
import { toPathEvent } from './path-event.ts';
import { resolveCommand } from './resolve-command.ts';
import { startRounds } from './rounds.ts';
import { listAgentSockets, openRunDirectory } from './run-directory.ts';
import type { NeededFile } from './home-watch.ts';
import { watchState, type StateWatch } from './state-watch.ts';
import { openService } from './service/service.ts';

export interface ComposeOptions {
  readonly home: string;
  /** Database file, or `':memory:'`. */
  readonly stateFile: string;
  readonly clock: Clock;
  readonly inherited: Inherited;
  /** What kept that, in words. */
  readonly broughtBackBy: string;
  readonly level: DispatchLevel | null;
  /** Workers go on when this process dies. */
  readonly keepsWorkers: boolean;
  /** Where workers write; without it, to files below the home. */
  readonly output?: Output;
  readonly onDescriptorsChanged: () => void;
  readonly onShutdown: (keepWorkers: boolean) => void;
  readonly onUpgrade: (program: string) => Promise<UpgradeStartDocument>;
  /** How the last one ended. */
  readonly lastUpgrade: () => UpgradeDocument | null;
  /** See `OpenStoreOptions`. */
  readonly goesBack?: boolean;
  readonly guardPid: () => number | null;
  /** The systemd unit that this process is, if it is one. */
  readonly unit: string | null;
  /** Told of each step of work whose interruption must do no harm. */
  readonly onStep?: (step: string) => void;
  /** A line for the daemon's log: what the operator should find there. */
  readonly log: (line: string) => void;
}

export interface Drover {
  readonly service: DroverService;
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  /** See `ApiOptions`. */
  readonly notice: () => string | null;
  /** Sockets of its own that have to be found by their files. */
  readonly neededFiles: readonly NeededFile[];
  /** Everything that must outlive this process. */
  kept(): readonly KeptDescriptor[];
  /** Takes back what an earlier daemon left running, and starts what should run and does not. */
  recover(): void;
  /** Ends every worker, politely; what is wanted stays wanted. */
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

const OWN = ownProgram();

export const VERSION = OWN.version;

export const AGENT_PATH = fileURLToPath(new URL('../../dist/agent/agent.cjs', import.meta.url));
/** The copy in the home is out of reach for workers of other users, as long as the installed one is there. */
const othersAgentPath = (): string => {
  const installed = join(OWN.isCopy ? OWN.installedAt : OWN.root, 'dist/agent/agent.cjs');
  return existsSync(installed) ? installed : AGENT_PATH;
};
const UNIQUE_BYTES = 9;

export const compose = async (options: ComposeOptions): Promise<Drover> => {
  const { home, clock, inherited } = options;
  const runDirectory = openRunDirectory(home);
  const store = correlateEvents(
    openStore({
      file: options.stateFile,
      clock,
      random: Math.random,
      version: VERSION,
      goesBack: options.goesBack ?? false,
    }),
    clock,
  );
  const state = watchState(store, options.log);
  const settings = openDaemonSettings(store);
  const operations = new Operations(store);
  const dataPath = openDataPath({
    ...(options.level === null ? {} : { level: options.level }),
    clock,
    socketFolder: runDirectory.privateSockets,
    adopt: inherited.sockets,
    // Covers come and go with every short stall; they are shown live (`ls`), not kept as history.
    onEvent: (event) => {
      if (event.type === 'descriptors-changed') options.onDescriptorsChanged();
      else if ('path' in event) store.events.append(toPathEvent(event));
    },
  });
  /** Workers of apps that are not known (any more). */
  let strays: readonly Stray[] = [];
  const straysOf = (app: string): readonly Stray[] => strays.filter(({ record }) => record.app === app);
  const logs = openLogs({
    home,
    clock,
    // A configuration that an older daemon recorded says nothing about logs.
    limitsOf: (app) => (supervisor.find(app)?.state.config as Partial<AppConfig> | undefined)?.logs ?? DEFAULT_LIMITS,
    budget: () => settings.get().logs,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    onProblem: options.log,
    isAlive({ app, slot, generation }) {
      // Of an app that was deleted nobody lives, but for those that are left alone because their app is not known.
      const living = supervisor.find(app)?.liveHandles() ?? straysOf(app).map(({ record }) => record);
      return living.some((worker) => worker.slot === slot && worker.generation === generation);
    },
  });
  const plainEdges: SupervisorEdges = {
    clock,
    schedule: systemSchedule,
    processes: systemProcesses,
    oomKills: new OomKills(systemProcesses, clock),
    traffic: dataPath,
    records: store,
    output:
      options.output ??
      fileOutput(logs, {
        home,
        clock,
        uidOf: (app) => supervisor.find(app)?.uid ?? null,
        onLost(worker, reason) {
          outputWatch?.expectNone(worker);
          tellLost(store, worker, reason);
        },
      }),
    resolveCommand,
    newId: () => randomBytes(UNIQUE_BYTES).toString('base64url'),
    agentPath: AGENT_PATH,
    othersAgentPath: othersAgentPath(),
    keepsWorkers: options.keepsWorkers,
    socketPath: runDirectory.agentSocket,
    bootId: bootId(),
    onDescriptorsChanged: options.onDescriptorsChanged,
  };
  const edges = options.onStep === undefined ? plainEdges : nameSteps(plainEdges, options.onStep);
  const health = openHealth({
    clock,
    schedule: edges.schedule,
    apps: () => supervisor.apps,
    memory: store.meta,
    events: store.events,
    memoryLeft,
  });
  const supervisor: Supervisor = new Supervisor(edges, {
    health: health.hook,
    onWanted: (app, wish) => void store.apps.change(app.app, wish),
    onState: (app) => saveApp(store, app),
    onOperation: (_app, run) => operations.note(run),
    onDeleted: ({ app }) => removeApp(app),
  });
  const care = openCare({
    folder: options.stateFile === ':memory:' ? null : home,
    clock,
    schedule: edges.schedule,
    supervisor,
    store,
    settings,
    health,
    newId: edges.newId,
    version: VERSION,
    log: options.log,
  });
  const removeApp = (name: string): void => {
    const app = supervisor.find(name);
    if (app !== null) {
      care.forget(app);
      supervisor.remove(app);
    }
    store.apps.remove(name);
    logs.forget(name);
    store.events.append({ app: name, type: 'app-removed', reason: null });
  };
  const outputWatch =
    options.output === undefined
      ? watchOutput({
          home,
          workers: () => supervisor.apps.flatMap((app) => app.liveHandles()),
          onLost: (worker, reason) => tellLost(store, worker, reason),
        })
      : null;
  const rounds = startRounds([() => edges.oomKills.look(), () => outputWatch?.look(), () => care.look()]);
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
    settings,
    health,
    care,
    clock,
    logHome: home,
    status: () => describeDaemon({ options, supervisor, dataPath, startedAt, state }),
    adoptStrays(app) {
      const own = straysOf(app.app);
      adopt(app, [], own, inherited);
      strays = strays.filter((stray) => !own.includes(stray));
    },
    onShutdown: options.onShutdown,
    onUpgrade: options.onUpgrade,
  });

  return {
    service,
    supervisor,
    store,
    logs,
    notice: () => state.notice() ?? outputWatch?.notice() ?? null,
    neededFiles: [{ path: edges.socketPath, mode: RUN_DIRECTORY_MODE, makeAgain: () => agentSocket.listenAgain() }],
    kept: () => [...dataPath.inventory(), ...channelsOf(supervisor)],
    recover() {
      const socketPaths = listAgentSockets(home);
      strays = recover({ supervisor, store, logs, inherited, broughtBackBy: options.broughtBackBy, socketPaths });
      sweepPrivateSockets(runDirectory.privateSockets);
    },
    stopWorkers: () => supervisor.stopAll(),
    async close() {
      rounds.close();
      await care.close();
      health.close();
      supervisor.close();
      await agentSocket.close();
      dataPath.close();
      logs.close();
      store.close();
      sweepPrivateSockets(runDirectory.privateSockets);
      runDirectory.close();
    },
  };
};

const tellLost = (store: Store, { app, slot }: Pick<LogFile, 'app' | 'slot'>, reason: string): void =>
  void store.events.append({ app, worker: `${app}/${slot}`, type: 'output-lost', reason });

const channelsOf = (supervisor: Supervisor): readonly KeptDescriptor[] =>
  supervisor.apps.flatMap((app) =>
    app.liveHandles().flatMap((handle) => {
      const fd = handle.link?.keptDescriptor ?? null;
      return fd === null ? [] : [{ name: `${CHANNEL_PREFIX}${handle.spawnId}`, fd }];
    }),
  );

const saveApp = (store: Store, app: App): void => {
  // Changes nothing for an app that is being deleted: there is nothing to write any more.
  store.apps.note(app.app, app.lasting);
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
  unit: options.unit,
  state: state.describe(),
  program: {
    directory: OWN.root,
    isCopy: OWN.isCopy,
    reason: OWN.isCopy ? null : (process.env['DROVER_IN_PLACE'] ?? null),
    node: process.execPath,
  },
  upgrade: options.lastUpgrade(),
});
