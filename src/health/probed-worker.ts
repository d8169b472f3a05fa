/** A worker as its probes see it: where it is reached alone, and in what its commands run. */
import type { WatchedWorker } from '../probes/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import { identityOf, workerEnvironment, type App } from '../supervisor/index.ts';
import type { WorkerWatch } from './worker-watch.ts';

export const watchedWorker = (app: App, watch: WorkerWatch): WatchedWorker => {
  const { handle, tenant } = watch;
  const { config } = tenant;
  const serverAt = (port: number | null): { readonly key: string; readonly address: ListenAddress } | null =>
    [...handle.servers.values()].find(
      ({ address }) => port === null || (address.kind === 'tcp' && address.port === port),
    ) ?? null;
  return {
    id: tenant.id,
    generation: handle.generation,
    probes: app.state.config.probes,
    startedAt: handle.spawnedAt,
    // One that an earlier daemon has seen ready has started.
    ...(tenant.state.phase === 'running' ? { known: { startup: 'passed', readiness: 'passed' } as const } : {}),
    privateSocket(port) {
      const server = serverAt(port);
      if (server === null) return null;
      const found = app.edges.traffic.findPort(app.app, server.address);
      return found?.findPrivatePath(handle.slot, handle.holderId) ?? null;
    },
    address: (port) => serverAt(port)?.address ?? null,
    surroundings() {
      const identity = identityOf(config);
      return {
        cwd: config.cwd,
        env: workerEnvironment(config, { app: app.app, slot: handle.slot, release: handle.release }),
        uid: identity?.uid ?? null,
        gid: identity?.gid ?? null,
      };
    },
    lastReport: () => watch.lastReport,
  };
};
