/** What changes the workers of apps that are known: start again, reload, restart, stop, scale, signal. */
import type { DroverService, RenewRequest, ScaleRequest, Target } from '../../api/index.ts';
import { selectCallerEnv } from '../../config/index.ts';
import { DroverError, type SignalDocument } from '../../protocol/index.ts';
import { canOverlap, instancesOf, isStartable, type App, type AppChange } from '../../supervisor/index.ts';
import { liveHandles, type AppIndex, type Chosen } from './app-index.ts';
import type { Asked, Once } from './once.ts';
import type { ServiceParts } from './parts.ts';
import { refuseInstances } from './refuse-instances.ts';

type WorkerChanges = Pick<DroverService, 'startStopped' | 'reload' | 'restart' | 'stop' | 'scale' | 'signal'>;

export const workerChangesOf = ({ supervisor, store }: ServiceParts, index: AppIndex, once: Once): WorkerChanges => ({
  startStopped: (target, renew, context) =>
    once(context, async (asked) => {
      const incomplete = index
        .resolve(target, asked)
        .filter(({ app, slots }) => (slots ?? app.slotNumbers).some((slot) => isStartable(app, slot)));
      assertIdle(incomplete);
      return incomplete.map(
        ({ app, slots }) => supervisor.start(app, renewed(app, renew), { slots, request: asked.request }).document,
      );
    }),
  reload: (target, renew, context) =>
    once(context, async (asked) =>
      resolveIdle(index, target, asked).map(
        ({ app, slots }) => supervisor.reload(app, renewed(app, renew), { slots, request: asked.request }).document,
      ),
    ),
  restart: (target, renew, context) =>
    once(context, async (asked) =>
      resolveIdle(index, target, asked).map(
        ({ app, slots }) => supervisor.restart(app, renewed(app, renew), { slots, request: asked.request }).document,
      ),
    ),
  stop: (target, context) =>
    once(context, async (asked) => {
      const { request } = asked;
      const runs = index
        .resolve(target, asked)
        .map(({ app, slots }) => supervisor.stop(app, 'stop', { slots, request }));
      return (await Promise.all(runs)).map((run) => run.document);
    }),
  scale: (name, to: ScaleRequest, context) =>
    once(context, async (asked) => {
      if (asked.hasBegun(name)) return [];
      const app = index.get(name);
      return [supervisor.scale(app, instancesFor(app, to), { request: asked.request }).document];
    }),

  async signal(target, signal): Promise<SignalDocument> {
    const handles = index.resolve(target).flatMap(liveHandles);
    for (const { app, id, generation, pid } of handles) {
      const data = { generation, pid, signal };
      store.events.append({ app, worker: id, type: 'worker-signalled', reason: `${signal}, as asked`, data });
    }
    const workers = handles
      .filter((handle) => supervisor.edges.processes.signal(handle, signal))
      .map((handle) => ({ worker: handle.id, pid: handle.pid ?? 0 }));
    return { signal, workers };
  },
});

/** As many as a configuration may ask for. */
const MOST_INSTANCES = 256;

/** Throws DROVER_USAGE, DROVER_INSTANCES_REFUSED. */
const instancesFor = (app: App, to: ScaleRequest): number => {
  const name = app.app;
  const wanted = 'by' in to ? app.state.instances + to.by : to.to;
  const instances = wanted === 'max' ? instancesOf({ ...app.state.config, instances: 'max' }) : wanted;
  if (instances < 1 || instances > MOST_INSTANCES) {
    const suggestion = instances === 0 ? `drover stop ${name}` : undefined;
    throw new DroverError('DROVER_USAGE', {
      message: `${name} has ${app.state.instances} of 1 to ${MOST_INSTANCES} workers; it cannot have ${instances}.`,
      suggestion,
    });
  }
  const isListening = app.liveHandles().some((handle) => handle.listening.length > 0);
  if (!canOverlap(app)) refuseInstances(app.state.config, instances, isListening);
  return instances;
};

const resolveIdle = (index: AppIndex, target: Target, asked: Asked): readonly Chosen[] => {
  const chosen = index.resolve(target, asked);
  assertIdle(chosen);
  return chosen;
};

/** All or none: `reload all` must not begin with some apps and then be refused for another one. */
const assertIdle = (chosen: readonly Chosen[]): void => {
  for (const { app } of chosen) app.assertIdle();
};

/** The environment of a bare script is its caller's at each start, restart and reload. */
const renewed = (app: App, { callerEnv }: RenewRequest): AppChange => {
  if (callerEnv === null) return {};
  const { config } = app.state;
  return { config: { ...config, callerEnv: selectCallerEnv(config.inheritEnv, callerEnv) } };
};
