/**
 * The third way to keep a shard over the daemon's death, for what nothing else kept: the guard died with it, or the
 * daemon died before a guard had the shard of a worker that it had just started. Every worker has a duplicate of its own,
 * and the new daemon takes it from there.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { closeDescriptor, descendants, inodeOf, isListening, socketAddress, takeDescriptor } from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { TrafficPort } from './edges.ts';
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
    const port = traffic.findPort(app.app, address);
    const robbed = app.liveHandles().filter(({ slot }) => port?.hasShard(slot) !== true);
    if (robbed.length === 0) continue;
    sockets.workers += regainShards(app, address, { port, robbed });
    // Where nobody lives, nobody has it, and nothing was lost.
    if (traffic.findPort(app.app, address) === null) sockets.nowhere += 1;
  }
};

interface Candidate {
  readonly handle: WorkerHandle;
  /** Duplicates of its sockets on this address: its own shard, and those of siblings that it covers for. */
  readonly taken: readonly { readonly fd: number; readonly inode: number }[];
}

interface Loss {
  /** What is left of the port; null: nothing. */
  readonly port: TrafficPort | null;
  /** The workers whose shards are not there. */
  readonly robbed: readonly WorkerHandle[];
}

/** Returns how many there were. */
const regainShards = (app: App, address: ListenAddress, { port, robbed }: Loss): number => {
  const candidates = robbed.map((handle): Candidate => {
    const all = takeListening(handle, address);
    const taken = all.filter(({ inode }) => port?.hasSocket(inode) !== true);
    for (const each of all) if (!taken.includes(each)) closeDescriptor(each.fd);
    return { handle, taken };
  });
  const claimed = new Set<number>();
  // Two workers of one slot, during a reload, have the same.
  const slots = new Set<number>();
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const { handle, taken } of candidates.toSorted((a, b) => a.taken.length - b.taken.length)) {
    const own = slots.has(handle.slot) ? undefined : taken.find(({ inode }) => !claimed.has(inode));
    for (const { fd } of taken) if (fd !== own?.fd) closeDescriptor(fd);
    if (own === undefined) continue;
    claimed.add(own.inode);
    slots.add(handle.slot);
    const { sticky } = app.state.config;
    app.edges.traffic.adoptPort({ app: app.app, address, fd: own.fd, slot: handle.slot, sticky });
  }
  return slots.size;
};

const takeListening = (handle: WorkerHandle, address: ListenAddress): Candidate['taken'] => {
  const taken = new Map<number, { fd: number; inode: number }>();
  for (const pid of processesOf(handle)) {
    for (const number of socketsOf(pid)) {
      const fd = tryTake(pid, number);
      if (fd === null) continue;
      const inode = inodeOf(fd);
      const isWanted = isListening(fd) && isSameAddress(socketAddress(fd), address) && !taken.has(inode);
      if (isWanted) taken.set(inode, { fd, inode });
      else closeDescriptor(fd);
    }
  }
  return [...taken.values()];
};

/** Which process behind a wrapper has the sockets is not known before its agent has come back. */
const processesOf = (handle: WorkerHandle): readonly number[] => {
  if (handle.pid === null) return [];
  return handle.link === null ? descendants(handle.pid, handle.spawnId) : [handle.pid];
};

const tryTake = (pid: number, fd: number): number | null => {
  try {
    return takeDescriptor(pid, fd);
  } catch {
    // Refused for this process, or closed meanwhile: its worker is replaced onto a shard by the next reload.
    return null;
  }
};

const socketsOf = (pid: number): readonly number[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'));
  } catch {
    // It ended, or is not ours to look into.
    return [];
  }
};

const isSameAddress = (a: ListenAddress, b: ListenAddress): boolean =>
  a.kind === 'tcp' && b.kind === 'tcp'
    ? a.port === b.port && a.host === b.host
    : a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
