/**
 * Workers whose sockets nobody kept, and nobody can take from them (no `pidfd_getfd` here): their app's port is taken,
 * but by themselves. The daemon listens beside them then, and each is moved onto a socket of the daemon's once its
 * agent has come back. First the new socket gets all new connections, then the worker lets go of its old one.
 */
import { listeningInodes } from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import { isRobbed } from './regain-ports.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What was given to the old socket until now is accepted from it by then, handshakes over a network included. */
const QUIET_AFTER_MS = 500;

/** Whether all who listen there are workers of this app that an earlier daemon started. */
export const isHeldByOwn = (app: App, address: ListenAddress): boolean => {
  // A path, and a port at the lowest level, has one socket for all.
  const hasShards = address.kind === 'tcp' && app.edges.traffic.level !== 'shared';
  if (app.regained.sockets.nowhere === 0 || !hasShards) return false;
  const adopted = app.liveHandles().filter(({ adoption }) => adoption !== null);
  const own = new Set(adopted.flatMap((handle) => app.edges.processes.listeners(handle).map(({ inode }) => inode)));
  const all = listeningInodes(address);
  return all.size > 0 && [...all].every((inode) => own.has(inode));
};

/** Moves a worker that is spoken to again onto sockets of ours, where it accepts from others. */
export const moveOntoShards = (tenant: Tenant, handle: WorkerHandle): void => {
  const { edges, app } = tenant.host;
  if (handle.adoption === null || handle.link === null) return;
  const apart = edges.traffic
    .ports(app)
    .filter((port) => handle.listening.some(({ key }) => key === port.key) && isRobbed(tenant.host, port, handle));
  if (apart.length === 0) return;
  for (const port of apart) port.shard(tenant.slot);
  edges.schedule.background(QUIET_AFTER_MS, () => {
    if (handle.pid === null || !handle.isAccepting) return;
    handle.link?.send({ type: 'hold' });
    // It has no socket now, and asks for ours.
    handle.link?.send({ type: 'accept' });
    const reason = 'it accepts on a socket of the daemon’s again';
    edges.records.events.append({ app, worker: handle.id, type: 'descriptors-regained', reason });
  });
};
