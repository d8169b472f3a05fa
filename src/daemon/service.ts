/**
 * What the API serves, carried out: finds the apps that a request means and hands them to the supervisor. Knows the
 * rules of names, files and releases; the workers are the supervisor's business.
 */
import type {
  ApplyRequest,
  AppsRequest,
  CallContext,
  DroverService,
  EventQuery,
  LogQuery,
  RenewRequest,
  ScaleRequest,
  Target,
} from '../api/index.ts';
import { findChangedKeys, findNearest, planChanges, selectCallerEnv, type KnownApp } from '../config/index.ts';
import { startOrder } from '../core/index.ts';
import { readLogs, type Logs } from '../logs/index.ts';
import {
  DroverError,
  type AppConfig,
  type AppDetailDocument,
  type ChangeDocument,
  type Clock,
  type DaemonDocument,
  type EventDocument,
  type FlushDocument,
  type LogLineDocument,
  type OperationDocument,
  type SignalDocument,
} from '../protocol/index.ts';
import type { AppRecord, Store } from '../store/index.ts';
import {
  canOverlap,
  describeApp,
  describeHealth,
  instancesOf,
  isVacant,
  signalWorker,
  workerEnvironment,
  type App,
  type AppChange,
  type OperationRun,
  type Supervisor,
  type WorkerHandle,
} from '../supervisor/index.ts';
import { followEvents } from './follow-events.ts';
import { metricsText } from './metrics-text.ts';
import type { Operations } from './operations.ts';
import { explain } from './why.ts';

export interface ServiceParts {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly logHome: string;
  readonly status: () => DaemonDocument;
  readonly onShutdown: (keepWorkers: boolean) => void;
}

export const openService = (parts: ServiceParts): DroverService => {
  const { supervisor, store, operations } = parts;

  const getApp = (name: string): App => {
    const app = supervisor.find(name);
    if (app !== null) return app;
    const suggestion = findNearest(
      name,
      supervisor.apps.map((each) => each.app),
    );
    throw new DroverError('DROVER_APP_UNKNOWN', { app: name, ...(suggestion === null ? {} : { suggestion }) });
  };

  /** The apps that a target means, each with the slots that are meant; null: all of its slots. */
  const resolve = (target: Target): readonly { app: App; slots: readonly number[] | null }[] => {
    if (target.kind === 'all') return supervisor.apps.map((app) => ({ app, slots: null }));
    const app = getApp(target.app);
    if (target.kind === 'app') return [{ app, slots: null }];
    if (!app.slots.has(target.slot)) {
      throw new DroverError('DROVER_WORKER_UNKNOWN', { worker: `${target.app}/${target.slot}` });
    }
    return [{ app, slots: [target.slot] }];
  };

  const recordOf = (app: App): AppRecord => {
    const record = store.apps.find(app.app);
    if (record === undefined) throw new DroverError('DROVER_APP_UNKNOWN', { app: app.app });
    return record;
  };

  const known = (): readonly KnownApp[] =>
    supervisor.apps.map((app) => ({
      config: app.state.config,
      file: recordOf(app).file,
      isStopped: app.state.wanted === 'stopped',
      canOverlap: canOverlap(app),
    }));

  const addApp = (config: AppConfig, file: string | null): App => {
    const release = store.releases.add({ app: config.name, config, createdAtMs: parts.clock.wallMs() });
    store.apps.put({
      name: config.name,
      file,
      config,
      wanted: 'stopped',
      release,
      instances: instancesOf(config),
      createdAtMs: parts.clock.wallMs(),
      readySignalSeen: false,
    });
    const app = supervisor.add({
      config,
      release,
      instances: instancesOf(config),
      wanted: 'stopped',
      readySignalSeen: false,
    });
    store.events.append({
      app: config.name,
      type: 'app-added',
      reason: file === null ? 'a bare script' : `from ${file}`,
    });
    return app;
  };

  /** What a new configuration makes of an app: a new release where its workers have to be replaced. */
  const changeTo = (app: App, config: AppConfig, isNewRelease: boolean): AppChange => ({
    config,
    instances: instancesOf(config),
    release: isNewRelease
      ? store.releases.add({ app: app.app, config, createdAtMs: parts.clock.wallMs() })
      : app.state.release,
  });

  /** The environment of a bare script is its caller's at each start, restart and reload. */
  const renewed = (app: App, { callerEnv }: RenewRequest): AppChange => {
    if (callerEnv === null) return {};
    const { config } = app.state;
    return { config: { ...config, callerEnv: selectCallerEnv(config.inheritEnv, callerEnv) } };
  };

  const startNew = (config: AppConfig, file: string | null, after: Promise<unknown>): OperationRun => {
    const app = addApp(config, file);
    try {
      return supervisor.start(app, {}, { after });
    } catch (error) {
      supervisor.remove(app);
      store.apps.remove(config.name);
      throw error;
    }
  };

  /** Runs `begin` for each app, wave by wave: an app begins when those it depends on are up. */
  const inOrder = (
    configs: readonly AppConfig[],
    begin: (config: AppConfig, after: Promise<unknown>) => OperationRun | null,
  ): OperationDocument[] => {
    const runs = new Map<string, OperationRun>();
    for (const name of orderOf(configs)) {
      const config = configs.find((each) => each.name === name);
      if (config === undefined) continue;
      const before = config.dependsOn.flatMap((each) => runs.get(each)?.ended ?? []);
      const run = begin(config, Promise.all(before));
      if (run !== null) runs.set(name, run);
    }
    return [...runs.values()].map((run) => run.document);
  };

  const carryOut = async (
    change: ChangeDocument,
    request: AppsRequest,
    after: Promise<unknown>,
  ): Promise<OperationRun | null> => {
    const config = request.apps.find((each) => each.name === change.app);
    if (config === undefined) return change.action === 'stop' ? deleteApp(getApp(change.app)) : null;
    const app = supervisor.find(change.app);
    if (app === null) return startNew(config, request.file, after);
    if (change.action === 'none') return null;
    const next = changeTo(app, config, change.replaces);
    if (change.action === 'start') return supervisor.start(app, next, { after });
    store.events.append({ app: app.app, type: 'app-changed', reason: `changed: ${change.keys.join(', ')}` });
    if (!change.replaces) return supervisor.adjust(app, next);
    return change.action === 'restart' ? supervisor.restart(app, next) : supervisor.reload(app, next);
  };

  const deleteApp = async (app: App): Promise<OperationRun> => {
    const run = await supervisor.stop(app, 'delete');
    void run.ended.then(() => {
      supervisor.remove(app);
      store.apps.remove(app.app);
      parts.logs.forget(app.app);
      store.events.append({ app: app.app, type: 'app-removed', reason: null });
    });
    return run;
  };

  return {
    list: () => Promise.resolve({ apps: supervisor.apps.map(describeApp) }),

    async show(name) {
      const app = getApp(name);
      const { config } = app.state;
      // Names of variables, not values: they may be secrets.
      const { callerEnv: _callerEnv, env, ...shown } = config;
      const detail: AppDetailDocument = {
        ...describeApp(app),
        file: recordOf(app).file,
        config: { ...shown, env: Object.keys(env) },
        command:
          config.command.kind === 'program'
            ? config.command.argv
            : ['node', config.command.script, ...config.command.args],
        cwd: config.cwd,
        logs: { directory: parts.logs.directory(name) },
        dispatch: supervisor.edges.traffic.level,
        lastOperation: app.lastOperation ?? operations.list(name)[0] ?? null,
      };
      return detail;
    },

    async env(name) {
      const app = getApp(name);
      return {
        app: name,
        env: workerEnvironment(app.state.config, { app: name, slot: 0, release: app.state.release }),
      };
    },

    health: async (name) => describeHealth(name === null ? supervisor.apps : [getApp(name)]),
    why: async (name) => explain(describeApp(getApp(name)), store.events.list({ app: name, limit: 200 })),
    daemonStatus: async () => parts.status(),
    metrics: async () => metricsText(supervisor.apps),

    plan: async (request) => ({ changes: planChanges(known(), request.apps, request.file) }),

    async start(request) {
      // Everything that can be refused is refused before anything starts.
      for (const config of request.apps) {
        refuseInstances(config, instancesOf(config));
        const app = supervisor.find(config.name);
        if (app === null) continue;
        const { file } = recordOf(app);
        if (file !== request.file) {
          throw new DroverError('DROVER_APP_EXISTS', { app: config.name, owner: file ?? 'a bare script' });
        }
        const keys = findChangedKeys(app.state.config, config);
        if (app.state.wanted === 'up' && keys.length > 0) {
          throw new DroverError('DROVER_APP_CHANGED', { app: config.name, keys: keys.join(', ') });
        }
      }
      return inOrder(request.apps, (config, after) => {
        const app = supervisor.find(config.name);
        if (app === null) return startNew(config, request.file, after);
        if (app.state.wanted === 'up') return null;
        const keys = findChangedKeys(app.state.config, config);
        return supervisor.start(app, changeTo(app, config, keys.length > 0), { after });
      });
    },

    async apply(request: ApplyRequest) {
      for (const config of request.apps) refuseInstances(config, instancesOf(config));
      const changes = planChanges(known(), request.apps, request.file);
      const isGone = changes.some((change) => change.action === 'stop');
      if (request.apps.length === 0 && isGone && !request.prune) throw new DroverError('DROVER_PRUNE_REFUSED');
      const documents: OperationDocument[] = [];
      const ended = new Map<string, Promise<unknown>>();
      for (const name of [
        ...orderOf(request.apps),
        ...changes.filter((each) => each.action === 'stop').map((each) => each.app),
      ]) {
        const change = changes.find((each) => each.app === name);
        if (change === undefined) continue;
        const dependsOn = request.apps.find((each) => each.name === name)?.dependsOn ?? [];
        const run = await carryOut(change, request, Promise.all(dependsOn.flatMap((each) => ended.get(each) ?? [])));
        if (run === null) continue;
        ended.set(name, run.ended);
        documents.push(run.document);
      }
      return documents;
    },

    async startStopped(target, request) {
      const incomplete = resolve(target).filter(({ app, slots }) =>
        (slots ?? app.slotNumbers).some((slot) => isVacant(app, slot)),
      );
      return incomplete.map(({ app, slots }) => supervisor.start(app, renewed(app, request), { slots }).document);
    },
    reload: async (target, request) =>
      resolve(target).map(({ app, slots }) => supervisor.reload(app, renewed(app, request), slots).document),
    restart: async (target, request) =>
      resolve(target).map(({ app, slots }) => supervisor.restart(app, renewed(app, request), slots).document),
    async stop(target) {
      const runs = resolve(target).map(({ app, slots }) => supervisor.stop(app, 'stop', slots));
      return (await Promise.all(runs)).map((run) => run.document);
    },
    async delete(target) {
      if (target.kind === 'worker') {
        throw new DroverError('DROVER_USAGE', { message: 'A worker cannot be deleted; scale its app.' });
      }
      return (await Promise.all(resolve(target).map(({ app }) => deleteApp(app)))).map((run) => run.document);
    },
    async scale(name, request: ScaleRequest) {
      const app = getApp(name);
      const wanted = 'by' in request ? app.state.instances + request.by : request.to;
      const instances = wanted === 'max' ? instancesOf({ ...app.state.config, instances: 'max' }) : wanted;
      if (instances < 0) {
        throw new DroverError('DROVER_USAGE', {
          message: `${name} has ${app.state.instances} workers: there are not so many to remove.`,
        });
      }
      const isListening = app.liveHandles().some((handle) => handle.listening.length > 0);
      if (!canOverlap(app)) refuseInstances(app.state.config, instances, isListening);
      return [supervisor.scale(app, instances).document];
    },

    async signal(target, signal): Promise<SignalDocument> {
      const handles = resolve(target).flatMap(({ app, slots }) => liveHandles(app, slots));
      const workers = handles
        .filter((handle) => signalWorker(handle, signal))
        .map((handle) => ({ worker: handle.id, pid: handle.pid ?? 0 }));
      return { signal, workers };
    },

    listOperations: async (app) => operations.list(app),
    getOperation: async (id) => operations.get(id),
    async abortOperation(id) {
      operations.find(id)?.abort('as asked');
      return operations.get(id);
    },
    watchOperation: (id, signal) => operations.watch(id, signal),

    logs: (query, signal) => streamLogs(parts, query, signal, resolve),
    async flushLogs(target): Promise<FlushDocument> {
      const apps = resolve(target).map(({ app }) => app.app);
      let freedBytes = 0;
      for (const app of apps) freedBytes += parts.logs.flush(app);
      return { apps, freedBytes };
    },
    events: (query: EventQuery, signal: AbortSignal): AsyncIterable<EventDocument> =>
      followEvents(store, query, signal),

    async shutdown({ keepWorkers }: { readonly keepWorkers: boolean }, _context: CallContext) {
      parts.onShutdown(keepWorkers);
    },
  };
};

/** Programs that usually run a Node app, to which the agent comes by `NODE_OPTIONS`; so does what a package brought. */
const MAYBE_NODE = /(^|\/)(node|npm|npx|pnpm|yarn|sh|bash|dash|[^/]+\.sh)$|\/node_modules\//;

/** Throws DROVER_INSTANCES_REFUSED where several workers would have to bind one port without our help. */
const refuseInstances = (
  { name, command, ports }: AppConfig,
  instances: number,
  isListening = ports.length > 0,
): void => {
  if (instances <= 1 || command.kind !== 'program') return;
  const isForeign = !MAYBE_NODE.test(command.argv[0]);
  if (isForeign && isListening) throw new DroverError('DROVER_INSTANCES_REFUSED', { app: name, instances });
};

/** Names such that each app comes after those it depends on; as given where they wait for one another. */
const orderOf = (configs: readonly AppConfig[]): readonly string[] => {
  const names = new Set(configs.map((config) => config.name));
  const order = startOrder(
    configs.map(({ name, dependsOn }) => ({ name, dependsOn: dependsOn.filter((each) => names.has(each)) })),
  );
  return order.kind === 'waves' ? order.waves.flat() : [...names];
};

const liveHandles = (app: App, slots: readonly number[] | null): readonly WorkerHandle[] =>
  app.holders
    .filter((tenant) => slots === null || slots.includes(tenant.slot))
    .flatMap(({ handle }) => (handle !== null && handle.pid !== null ? [handle] : []));

const streamLogs = (
  { supervisor, clock, logHome }: ServiceParts,
  query: LogQuery,
  signal: AbortSignal,
  resolve: (target: Target) => readonly { app: App; slots: readonly number[] | null }[],
): AsyncIterable<LogLineDocument> => {
  const { target } = query;
  const apps = target === null ? supervisor.apps.map((app) => app.app) : resolve(target).map(({ app }) => app.app);
  return readLogs({
    home: logHome,
    apps,
    clock,
    ...(target?.kind === 'worker' ? { wants: (file: { readonly slot: number }) => file.slot === target.slot } : {}),
    sinceMs: query.sinceMs,
    untilMs: query.untilMs,
    grep: query.grep === null ? null : new RegExp(query.grep),
    lines: query.lines,
    follow: query.follow,
    signal,
  });
};
