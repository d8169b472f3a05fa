/** What changes the workers of apps that are known: start again, reload, restart, stop, scale, signal. */
import type { DroverService, RenewRequest, ScaleRequest, Target } from '../../api/index.ts';
import { selectCallerEnv } from '../../config/index.ts';
import { DroverError, type SignalDocument } from '../../protocol/index.ts';
import { canOverlap, instancesOf, isVacant, type App, type AppChange } from '../../supervisor/index.ts';
import { liveHandles, type AppIndex, type Chosen } from './app-index.ts';
import type { ServiceParts } from './parts.ts';
import { refuseInstances } from './refuse-instances.ts';

type WorkerChanges = Pick<DroverService, 'startStopped' | 'reload' | 'restart' | 'stop' | 'scale' | 'signal'>;

export const workerChangesOf = ({ supervisor, store }: ServiceParts, index: AppIndex): WorkerChanges => ({
  async startStopped(target, request) {
    const incomplete = index
      .resolve(target)
      .filter(({ app, slots }) => (slots ?? app.slotNumbers).some((slot) => isVacant(app, slot)));
    return incomplete.map(({ app, slots }) => supervisor.start(app, renewed(app, request), { slots }).document);
  },
  reload: async (target, request) =>
    resolveIdle(index, target).map(({ app, slots }) => supervisor.reload(app, renewed(app, request), slots).document),
  restart: async (target, request) =>
    resolveIdle(index, target).map(({ app, slots }) => supervisor.restart(app, renewed(app, request), slots).document),
  async stop(target) {
    const runs = index.resolve(target).map(({ app, slots }) => supervisor.stop(app, 'stop', slots));
    return (await Promise.all(runs)).map((run) => run.document);
  },
  async scale(name, request: ScaleRequest) {
    const app = index.get(name);
    const wanted = 'by' in request ? app.state.instances + request.by : request.to;
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
    return [supervisor.scale(app, instances).document];
  },

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

/** All or none: `reload all` must not begin with some apps and then be refused for another one. */
const resolveIdle = (index: AppIndex, target: Target): readonly Chosen[] => {
  const chosen = index.resolve(target);
  for (const { app } of chosen) app.assertIdle();
  return chosen;
};

/** The environment of a bare script is its caller's at each start, restart and reload. */
const renewed = (app: App, { callerEnv }: RenewRequest): AppChange => {
  if (callerEnv === null) return {};
  const { config } = app.state;
  return { config: { ...config, callerEnv: selectCallerEnv(config.inheritEnv, callerEnv) } };
};
