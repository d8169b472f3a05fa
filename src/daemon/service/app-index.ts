/** Finds the apps and workers that a request means, by the rules of names. */
import type { Target } from '../../api/index.ts';
import { findNearest, type KnownApp } from '../../config/index.ts';
import { DroverError } from '../../protocol/index.ts';
import type { AppRecord } from '../../store/index.ts';
import { canOverlap, type App, type WorkerHandle } from '../../supervisor/index.ts';
import type { Asked } from './once.ts';
import type { ServiceParts } from './parts.ts';

export interface Chosen {
  readonly app: App;
  /** The slots that are meant; null: all of them. */
  readonly slots: readonly number[] | null;
}

export interface AppIndex {
  /** Throws DROVER_APP_UNKNOWN with the nearest name. */
  readonly get: (name: string) => App;
  /** Without the apps for which `asked` has begun its operation. Throws DROVER_APP_UNKNOWN, DROVER_WORKER_UNKNOWN. */
  readonly resolve: (target: Target, asked?: Asked) => readonly Chosen[];
  readonly recordOf: (app: App) => AppRecord;
  /** Every app, as a plan is made against it. */
  readonly known: () => readonly KnownApp[];
}

export const indexApps = ({ supervisor, store }: ServiceParts): AppIndex => {
  const get = (name: string): App => {
    const app = supervisor.find(name);
    if (app !== null) return app;
    const suggestion = findNearest(
      name,
      supervisor.apps.map((each) => each.app),
    );
    throw new DroverError('DROVER_APP_UNKNOWN', { app: name, ...(suggestion === null ? {} : { suggestion }) });
  };

  const resolve = (target: Target, asked?: Asked): readonly Chosen[] => {
    const isNew = (name: string): boolean => asked?.hasBegun(name) !== true;
    if (target.kind === 'all') {
      return supervisor.apps.filter(({ app }) => isNew(app)).map((app) => ({ app, slots: null }));
    }
    // It may be gone by now, when that was what was asked for.
    if (!isNew(target.app)) return [];
    const app = get(target.app);
    if (target.kind === 'app') return [{ app, slots: null }];
    // One that nobody has been in since this daemon began is known all the same: it was stopped before.
    if (target.slot >= app.state.instances && app.slots.find(target.slot) === null) {
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
      instances: app.state.instances,
      file: recordOf(app).file,
      isStopped: app.state.wanted === 'stopped',
      canOverlap: canOverlap(app),
    }));

  return { get, resolve, recordOf, known };
};

/** The live workers among those that are meant. */
export const liveHandles = ({ app, slots }: Chosen): readonly WorkerHandle[] =>
  app.holders
    .filter((tenant) => slots === null || slots.includes(tenant.slot))
    .flatMap(({ handle }) => (handle !== null && handle.pid !== null ? [handle] : []));
