/**
 * Looks at programs that no agent comes to: which ports they listen on, as far as the system tells. Often while one
 * starts, because its readiness waits for it; then hardly ever, because nothing depends on it.
 */
import { descendants, listeningSockets } from '../os/index.ts';
import { labelOf } from './listen-desk.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

const STARTING_EVERY_MS = 100;
const RUNNING_EVERY_MS = 10_000;

/** Watches until the worker is gone, or an agent of one of its descendants has come after all. */
export const watchAgentless = (tenant: Tenant, handle: WorkerHandle): void => {
  const look = (): void => {
    if (handle.pid === null || handle.isAgentHere) return;
    noteListening(tenant, handle);
    const isStarting = tenant.state.phase === 'starting';
    setTimeout(look, isStarting ? STARTING_EVERY_MS : RUNNING_EVERY_MS).unref();
  };
  look();
};

const noteListening = (tenant: Tenant, handle: WorkerHandle): void => {
  const before = handle.servers.size;
  const sockets = listeningSockets(descendants(handle.firstPid, handle.spawnId));
  for (const { inode, address } of sockets) {
    if (handle.servers.has(inode)) continue;
    handle.servers.set(inode, {
      id: inode,
      key: `own:${labelOf(address)}`,
      address,
      protocol: 'tcp',
      since: tenant.at,
    });
  }
  if (handle.servers.size === before) return;
  tenant.step({ type: 'listening', at: tenant.at, generation: handle.generation });
  // It accepts by itself: nobody could hold it back.
  handle.isAccepting = true;
  handle.acceptsByItself = true;
  tenant.checkReadiness();
};
