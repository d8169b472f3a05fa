/**
 * What adds, changes and removes apps: `start`, `apply`, `delete`. Knows the rules of files, releases and the order of
 * dependent apps; the workers are the supervisor's business.
 */
import type { AppsRequest, DroverService } from '../../api/index.ts';
import { findChangedKeys, planChanges } from '../../config/index.ts';
import { startOrder } from '../../core/index.ts';
import { DroverError, type AppConfig, type ChangeDocument, type OperationDocument } from '../../protocol/index.ts';
import { instancesOf, type App, type AppChange, type OperationRun } from '../../supervisor/index.ts';
import type { AppIndex } from './app-index.ts';
import type { ServiceParts } from './parts.ts';
import { refuseConfig } from './refuse-config.ts';

type AppChanges = Pick<DroverService, 'start' | 'apply' | 'delete'>;

export const appChangesOf = (parts: ServiceParts, index: AppIndex): AppChanges => {
  const { supervisor, store } = parts;

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
    parts.adoptStrays(app);
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
    if (config === undefined) return change.action === 'stop' ? deleteApp(index.get(change.app)) : null;
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
    return supervisor.stop(app, 'delete');
  };

  return {
    async start(request) {
      // Everything that can be refused is refused before anything starts.
      for (const config of request.apps) {
        refuseConfig(config);
        const app = supervisor.find(config.name);
        if (app === null) continue;
        const { file } = index.recordOf(app);
        if (file !== request.file) {
          throw new DroverError('DROVER_APP_EXISTS', { app: config.name, owner: file ?? 'a bare script' });
        }
        const keys = findChangedKeys(app.state.config, config);
        if (app.state.wanted === 'up' && keys.length > 0) {
          throw new DroverError('DROVER_APP_CHANGED', { app: config.name, keys: keys.join(', '), file });
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

    async apply(request) {
      for (const config of request.apps) refuseConfig(config);
      const changes = planChanges(index.known(), request.apps, request.file);
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

    async delete(target) {
      const found = index.resolve(target);
      if (target.kind === 'worker') {
        throw new DroverError('DROVER_USAGE', { message: 'A worker cannot be deleted; scale its app.' });
      }
      return (await Promise.all(found.map(({ app }) => deleteApp(app)))).map((run) => run.document);
    },
  };
};

/** Names such that each app comes after those it depends on; as given where they wait for one another. */
const orderOf = (configs: readonly AppConfig[]): readonly string[] => {
  const names = new Set(configs.map((config) => config.name));
  const order = startOrder(
    configs.map(({ name, dependsOn }) => ({ name, dependsOn: dependsOn.filter((each) => names.has(each)) })),
  );
  return order.kind === 'waves' ? order.waves.flat() : [...names];
};
