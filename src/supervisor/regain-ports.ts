/**
 * The third way to keep a shard over the daemon's death, for what nothing else kept: the guard died with it, or the
 * daemon died before a guard had the shard of a worker that it had just started. Every worker has a duplicate of its own,
 * and the new daemon takes it from there.
 */
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { TakenListener } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Takes back the listening sockets of the app's known ports that nobody kept. */
export const regainPorts = (app: App): void => {
  const { sockets } = app.regained;
  const { traffic, records } = app.edges;
  const kept = traffic.ports(app.app);
  // A port without shards of its own is one socket.
  for (const { shards } of traffic.view(app.app)) sockets.kept += Math.max(1, shards.length);
  const missing = records.ports.list(app.app).filter(({ address }) => traffic.findPort(app.app, address) === null);
  for (const { address } of [...missing, ...kept]) {
    sockets.workers += regainPort(app, address);
    // Where nobody lives, nobody has it, and nothing was lost.
    const isLost = traffic.findPort(app.app, address) === null && app.liveHandles().length > 0;
    if (isLost) sockets.nowhere += 1;
  }
};

interface Candidate {
  readonly handle: WorkerHandle;
  /** Duplicates of its sockets on this address: its own shard, and those of siblings that it covers for. */
  readonly taken: readonly TakenListener[];
}

/** Takes those of the port's sockets that are missing from the workers that have them; returns how many. */
export const regainPort = (app: App, address: ListenAddress): number => {
  const { traffic, processes } = app.edges;
  const port = traffic.findPort(app.app, address);
  const robbed = app.liveHandles().filter(({ slot }) => port?.hasShard(slot) !== true);
  const candidates = robbed.map((handle): Candidate => ({ handle, taken: processes.takeListeners(handle, address) }));
  const claimed = new Set<number>();
  // Two workers of one slot, during a reload, have its shard in common: what else the second one has is a sibling's.
  const slots = new Set<number>();
  const isFree = ({ inode }: TakenListener): boolean => !claimed.has(inode) && port?.hasSocket(inode) !== true;
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const { handle, taken } of candidates.toSorted((a, b) => a.taken.length - b.taken.length)) {
    const own = slots.has(handle.slot) ? undefined : taken.find(isFree);
    for (const each of taken) if (each !== own) each.close();
    if (own === undefined) continue;
    claimed.add(own.inode);
    slots.add(handle.slot);
    const { sticky } = app.state.config;
    traffic.adoptPort({ app: app.app, address, fd: own.fd, slot: handle.slot, sticky });
  }
  return slots.size;
};
