/**
 * The third way to keep a shard over the daemon's death, for what nothing else kept: the guard died with it, or the
 * daemon died before a guard had the shard of a worker that it had just started. Every worker has a duplicate of its own,
 * and the new daemon takes it from there.
 */
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { TrafficPort } from './edges.ts';
import { labelOf } from './listen-desk.ts';
import type { TakenListener } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Takes back the listening sockets of the app's known ports that nobody kept. */
export const regainPorts = (app: App): void => {
  const { sockets } = app.regained;
  const { traffic, records, processes } = app.edges;
  const kept = traffic.ports(app.app);
  // A port without shards of its own is one socket.
  for (const { shards } of traffic.view(app.app)) sockets.kept += Math.max(1, shards.length);
  for (const address of distinct([
    ...records.ports.list(app.app).map(({ address }) => address),
    ...kept.map(({ address }) => address),
    // The disk may not have taken the record.
    ...app.liveHandles().flatMap((handle) => processes.bootAddresses(handle)),
  ])) {
    sockets.workers += regainPort(app, address);
    // Where nobody lives, nobody has it, and nothing was lost.
    const isLost = traffic.findPort(app.app, address) === null && app.liveHandles().length > 0;
    if (isLost) sockets.nowhere += 1;
  }
};

/**
 * Takes those of the port's sockets that are missing from the workers that have them; returns how many. `from`: those
 * whose own shards are not there.
 */
export const regainPort = (app: App, address: ListenAddress, from = findRobbed(app, address)): number => {
  if (from.length === 0) return 0;
  const { traffic, processes } = app.edges;
  const before = traffic.findPort(app.app, address);
  const taken = processes.takeListeners(from, address);
  const claimed = new Set<number>();
  const isFree = ({ inode }: TakenListener): boolean => !claimed.has(inode) && before?.hasSocket(inode) !== true;
  const hasShard = (slot: number): boolean => traffic.findPort(app.app, address)?.hasShard(slot) === true;
  const isAmong = (slot: number, held: readonly TakenListener[]): boolean =>
    traffic.findPort(app.app, address)?.isShardAmong(slot, inodesOf(held)) === true;
  const adopt = ({ fd, inode }: TakenListener, slot: number): void => {
    claimed.add(inode);
    traffic.adoptPort({ app: app.app, address, fd, slot, sticky: app.state.config.sticky });
  };
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const [handle, all] of [...taken].toSorted(([, a], [, b]) => a.length - b.length)) {
    // Two workers of one slot, during a reload, have its shard in common: what else the second one has is a sibling's.
    const own = isAmong(handle.slot, all) ? undefined : all.find(isFree);
    if (own !== undefined) adopt(own, handle.slot);
    taken.set(handle, own === undefined ? all : all.filter((each) => each !== own));
  }
  // Shards of siblings that are gone, whose queues would be reset with the last worker that covers them: to be emptied.
  let slot = app.state.instances;
  for (const each of [...taken.values()].flat()) {
    if (isFree(each)) {
      // A port that is one socket for all lacks none, and may still be better off with this one: it is among whatever is held.
      while (hasShard(slot) && !isAmong(slot, [])) slot += 1;
      adopt(each, slot);
    } else each.close();
  }
  return claimed.size;
};

const distinct = (addresses: readonly ListenAddress[]): Iterable<ListenAddress> =>
  new Map(addresses.map((address) => [labelOf(address), address])).values();

const findRobbed = (app: App, address: ListenAddress): readonly WorkerHandle[] => {
  const port = app.edges.traffic.findPort(app.app, address);
  return app.liveHandles().filter((handle) => port === null || isRobbed(app, port, handle));
};

/**
 * The port has no shard of its slot, or not the one that it listens on: the slot was emptied and filled again just before
 * the daemon died, and what kept the first shard had not heard of the second one.
 */
export const isRobbed = (app: Pick<App, 'edges'>, port: TrafficPort, handle: WorkerHandle): boolean => {
  if (!port.hasShard(handle.slot)) return true;
  const held = app.edges.processes.listeners(handle);
  return held.length > 0 && !port.isShardAmong(handle.slot, inodesOf(held));
};

const inodesOf = (sockets: readonly { readonly inode: number }[]): ReadonlySet<number> =>
  new Set(sockets.map(({ inode }) => inode));
