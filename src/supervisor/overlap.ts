/**
 * Whether two generations of an app may live beside each other, which a reload without loss needs. Node takes its
 * sockets from us, also behind a wrapper once the agent has come to it; whatever else listens holds its port alone.
 */
import type { AppConfig } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Whether workers with the configuration `next` may start before those that run now have stopped. */
export const mayReplaceInPlace = (app: App, next: AppConfig): boolean => {
  // What another command turns out to be is known only once it runs.
  const isKnown =
    next.command.kind === 'node' || JSON.stringify(next.command) === JSON.stringify(app.state.config.command);
  return isKnown && canOverlap(app);
};

/** Whether others may start beside the workers that run now. */
export const canOverlap = (app: App): boolean => {
  const handles = app.holders.flatMap(({ handle }) => (handle !== null && handle.pid !== null ? [handle] : []));
  // Where the agent is from the start, whatever listens past it was noticed already.
  if (app.state.config.command.kind === 'node') return handles.every((handle) => !handle.acceptsByItself);
  return handles.length > 0 && handles.every((handle) => handle.isAgentHere && ownsNothing(app, handle));
};

/** Neither its server nor another process of its tree has bound a port by itself. */
const ownsNothing = (app: App, handle: WorkerHandle): boolean =>
  !handle.hasBystanders &&
  [...handle.servers.values()].every(({ key }) => !key.startsWith('own:')) &&
  app.edges.processes
    .listeners(handle)
    .every((socket) =>
      app.edges.traffic
        .ports(app.app)
        .some(
          ({ address }) =>
            address.kind === 'tcp' && socket.address.kind === 'tcp' && address.port === socket.address.port,
        ),
    );
