/**
 * Looks from outside at which ports a worker listens on, where no agent tells: programs that none comes to, and Node
 * that listens without `net.Server` (a native server, a child that it started). Often while one starts, because its
 * readiness waits for it; then hardly ever, because nothing depends on it.
 */
import { labelOf } from './listen-desk.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

const STARTING_EVERY_MS = 100;
const RUNNING_EVERY_MS = 10_000;
/** Nearly every Node worker has listened before this; a look costs a walk over all processes. */
const SILENT_EVERY_MS = 1500;

/** Watches for as long as nobody inside tells. */
export const watchFromOutside = (tenant: Tenant, handle: WorkerHandle): void => {
  if (tenant.config.command.kind === 'program') watchAgentless(tenant, handle);
  else watchSilent(tenant, handle);
};

/** Until the worker is gone, or an agent of one of its descendants has come after all. */
const watchAgentless = (tenant: Tenant, handle: WorkerHandle): void => {
  const { schedule } = tenant.host.edges;
  const look = (): void => {
    if (handle.pid === null || handle.isAgentHere) return;
    noteListening(tenant, handle);
    const isStarting = tenant.state.phase === 'starting';
    schedule.background(isStarting ? STARTING_EVERY_MS : RUNNING_EVERY_MS, look);
  };
  look();
};

/** Until the agent of a Node worker has told of a server; the last look is once it is ready. */
const watchSilent = (tenant: Tenant, handle: WorkerHandle): void => {
  const { schedule } = tenant.host.edges;
  const look = (): void => {
    // A Unix path may be how it talks with the child that listens.
    if (handle.pid === null || handle.listening.some(({ address }) => address.kind === 'tcp')) return;
    const isStarting = tenant.state.phase === 'starting';
    noteListening(tenant, handle);
    if (isStarting) schedule.background(SILENT_EVERY_MS, look);
  };
  schedule.background(SILENT_EVERY_MS, look);
};

const noteListening = (tenant: Tenant, handle: WorkerHandle): void => {
  const before = handle.servers.size;
  const isOurs = (address: { readonly port: number }): boolean =>
    tenant.host.edges.traffic
      .ports(tenant.host.app)
      .some((port) => port.address.kind === 'tcp' && port.address.port === address.port);
  for (const { inode, address } of tenant.host.edges.processes.listeners(handle)) {
    // Sockets of ours, which a worker only holds, say nothing.
    if (handle.servers.has(inode) || address.kind !== 'tcp' || isOurs(address)) continue;
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
  handle.acceptsByItself = true;
  // Nobody could hold it back. An agent is told as always: it may have another server.
  if (handle.link === null) handle.isAccepting = true;
  tenant.checkReadiness();
};
