/**
 * What adds, changes and removes apps: `start`, `apply`, `delete`. Knows the rules of files, releases and the order of
 * dependent apps; the workers are the supervisor's business.
 */
import type { AppsRequest, DroverService } from '../../api/index.ts';
import { findChangedKeys, planChanges } from '../../config/index.ts';
import { startOrder } from '../../core/index.ts';
import {
  DroverError,
  type AppConfig,
  type ChangeDocument,
  type OperationDocument,
  type RequestKey,
} from '../../protocol/index.ts';
import { instancesOf, type App, type AppChange, type AppState, type OperationRun } from '../../supervisor/index.ts';
import type { AppIndex } from './app-index.ts';
import type { Asked, Once } from './once.ts';
import type { ServiceParts } from './parts.ts';
import { refuseConfig } from './refuse-config.ts';

type AppChanges = Pick<DroverService, 'start' | 'apply' | 'delete'>;

export const appChangesOf = (parts: ServiceParts, index: AppIndex, once: Once): AppChanges => {
  const { supervisor, store } = parts;

  const addApp = (config: AppConfig, file: string | null): App => {
    const release = store.releases.add({ app: config.name, config, createdAtMs: parts.clock.wallMs() });
    const state: AppState = {
      config,
      release,
      instances: instancesOf(config),
      wanted: 'stopped',
      stoppedSlots: [],
      readySignalSeen: false,
    };
    store.apps.put({ ...state, name: config.name, file, createdAtMs: parts.clock.wallMs() });
    const app = supervisor.add(state);
    store.events.append({
      app: config.name,
      type: 'app-added',
      reason: file === null ? 'a bare script' : `from ${file}`,
    });
    parts.adoptStrays(app);
    return app;
  };

  /** What a new configuration makes of an app: a new release where its workers have to be replaced. */
  const changeTo = (app: App, config: AppConfig, isNewRelease: boolean): Changed => {
    const next = { config, instances: instancesOf(config) };
    if (!isNewRelease) return { change: { ...next, release: app.state.release }, record: () => {} };
    return {
      change: { ...next, release: store.releases.nextNumber(app.app) },
      record: () => void store.releases.add({ app: app.app, config, createdAtMs: parts.clock.wallMs() }),
    };
  };

  const startNew = (config: AppConfig, file: string | null, options: BeginOptions): OperationRun => {
    const app = addApp(config, file);
    try {
      return supervisor.start(app, {}, options);
    } catch (error) {
      supervisor.remove(app);
      store.apps.remove(config.name);
      throw error;
    }
  };

  /** Runs `begin` for each app, wave by wave: an app begins when those it depends on are up. */
  const inOrder = (
    configs: readonly AppConfig[],
    asked: Asked,
    begin: (config: AppConfig, options: BeginOptions) => OperationRun | null,
  ): OperationDocument[] => {
    const ends = new Map<string, Promise<unknown>>();
    const documents: OperationDocument[] = [];
    for (const name of orderOf(configs)) {
      const config = configs.find((each) => each.name === name);
      if (config === undefined) continue;
      const begun = asked.endOf(name);
      if (begun !== null) {
        ends.set(name, begun);
        continue;
      }
      const before = config.dependsOn.flatMap((each) => ends.get(each) ?? []);
      const run = begin(config, { after: Promise.all(before), request: asked.request });
      if (run === null) continue;
      ends.set(name, run.ended);
      documents.push(run.document);
    }
    return documents;
  };

  const startAgain = (app: App, { change, record }: Changed, options: BeginOptions): OperationRun =>
    supervisor.start(app, change, { ...options, alongside: record });

  const carryOut = (
    { action, keys, replaces }: ChangeDocument,
    config: AppConfig,
    file: string | null,
    options: BeginOptions,
  ): OperationRun | null => {
    const app = supervisor.find(config.name);
    if (app === null) return startNew(config, file, options);
    if (action === 'none') return null;
    const changed = changeTo(app, config, replaces);
    if (action === 'start') return startAgain(app, changed, options);
    const asked = {
      request: options.request,
      alongside: (): void => {
        changed.record();
        store.events.append({ app: app.app, type: 'app-changed', reason: `changed: ${keys.join(', ')}` });
      },
    };
    if (!replaces) return supervisor.adjust(app, changed.change, asked);
    return action === 'restart'
      ? supervisor.restart(app, changed.change, asked)
      : supervisor.reload(app, changed.change, asked);
  };

  /** Everything that can be refused is refused before anything starts. */
  const refuseStart = (config: AppConfig, request: AppsRequest): void => {
    refuseConfig(config);
    const app = supervisor.find(config.name);
    if (app === null) return;
    const { file: owner } = index.recordOf(app);
    const { file } = request;
    if (owner !== file) {
      throw new DroverError('DROVER_APP_EXISTS', { app: config.name, owner: owner ?? 'a bare script', file });
    }
    const keys = findChangedKeys(app.state.config, config);
    if (app.state.wanted === 'up' && keys.length > 0) {
      throw new DroverError('DROVER_APP_CHANGED', { app: config.name, keys: keys.join(', '), file });
    }
    if (app.state.wanted === 'stopped' || isIncomplete(app)) app.assertIdle();
  };

  return {
    start: (request, context) =>
      once(context, async (asked) => {
        for (const config of request.apps) if (!asked.hasBegun(config.name)) refuseStart(config, request);
        return inOrder(request.apps, asked, (config, options) => {
          const app = supervisor.find(config.name);
          if (app === null) return startNew(config, request.file, options);
          // Nothing is changed that runs; what was stopped by itself, or has ended, starts again.
          if (app.state.wanted === 'up') return isIncomplete(app) ? supervisor.start(app, {}, options) : null;
          const keys = findChangedKeys(app.state.config, config);
          return startAgain(app, changeTo(app, config, keys.length > 0), options);
        });
      }),

    apply: (request, context) =>
      once(context, async (asked) => {
        for (const config of request.apps) refuseConfig(config);
        const changes = planChanges(index.known(), request.apps, request.file, instancesOf).filter(
          ({ app }) => !asked.hasBegun(app),
        );
        const isGone = changes.some((change) => change.action === 'stop');
        if (request.apps.length === 0 && isGone && !request.prune) throw new DroverError('DROVER_PRUNE_REFUSED');
        // All or none; what is to go waits for whatever is under way, and nothing is awaited until the others have begun.
        for (const { app, action } of changes) {
          if (action !== 'none' && action !== 'stop') supervisor.find(app)?.assertIdle();
        }
        const documents = inOrder(request.apps, asked, (config, options) => {
          const change = changes.find((each) => each.app === config.name);
          return change === undefined ? null : carryOut(change, config, request.file, options);
        });
        for (const { app, action } of changes) {
          if (action !== 'stop') continue;
          const run = await supervisor.stop(index.get(app), 'delete', { request: asked.request });
          documents.push(run.document);
        }
        return documents;
      }),

    delete: (target, context) =>
      once(context, async (asked) => {
        const found = index.resolve(target, asked);
        if (target.kind === 'worker') {
          throw new DroverError('DROVER_USAGE', { message: 'A worker cannot be deleted; scale its app.' });
        }
        const { request } = asked;
        const runs = await Promise.all(found.map(({ app }) => supervisor.stop(app, 'delete', { request })));
        return runs.map((run) => run.document);
      }),
  };
};

/** What becomes of an app, and the record of it, which is written when it begins. */
interface Changed {
  readonly change: AppChange;
  readonly record: () => void;
}

const isIncomplete = ({ state: { stoppedSlots }, slotNumbers, slots }: App): boolean =>
  slotNumbers.some((slot) => stoppedSlots.includes(slot) || slots.isDown(slot));

interface BeginOptions {
  /** Not before this: what the app depends on is up. */
  readonly after: Promise<unknown>;
  readonly request: RequestKey | null;
}

/** Names such that each app comes after those it depends on; as given where they wait for one another. */
const orderOf = (configs: readonly AppConfig[]): readonly string[] => {
  const names = new Set(configs.map((config) => config.name));
  const order = startOrder(
    configs.map(({ name, dependsOn }) => ({ name, dependsOn: dependsOn.filter((each) => names.has(each)) })),
  );
  return order.kind === 'waves' ? order.waves.flat() : [...names];
};
