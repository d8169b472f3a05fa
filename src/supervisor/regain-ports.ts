/**
 * The third way to keep a shard over the daemon's death, for when the guard died with it: every worker has a duplicate
 * of its own, and the new daemon takes it from there.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { closeDescriptor, descendants, inodeOf, isListening, socketAddress, takeDescriptor } from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Takes back the listening sockets of the app's known ports that nobody kept. */
export const regainPorts = (app: App): void => {
  const { sockets } = app.regained;
  // What was kept is there already: a port without shards of its own is one socket.
  for (const { shards } of app.edges.traffic.view(app.app)) sockets.kept += Math.max(1, shards.length);
  const missing = app.edges.records.ports
    .list(app.app)
    .map((record) => record.address)
    .filter((address) => app.edges.traffic.findPort(app.app, address) === null);
  for (const address of missing) {
    const taken = regainPort(app, address);
    // Where nobody lives, nobody has it, and nothing was lost.
    if (taken > 0) sockets.workers += taken;
    else if (app.liveHandles().length > 0) sockets.nowhere += 1;
  }
};

interface Candidate {
  readonly handle: WorkerHandle;
  /** Duplicates of its sockets on this address: its own shard, and those of siblings that it covers for. */
  readonly taken: readonly { readonly fd: number; readonly inode: number }[];
}

/** Returns how many sockets there were. */
const regainPort = (app: App, address: ListenAddress): number => {
  const candidates = app.liveHandles().map((handle): Candidate => ({ handle, taken: takeListening(handle, address) }));
  const claimed = new Set<number>();
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const { handle, taken } of candidates.toSorted((a, b) => a.taken.length - b.taken.length)) {
    const own = taken.find(({ inode }) => !claimed.has(inode));
    for (const { fd } of taken) if (fd !== own?.fd) closeDescriptor(fd);
    if (own === undefined) continue;
    claimed.add(own.inode);
    const { sticky } = app.state.config;
    app.edges.traffic.adoptPort({ app: app.app, address, fd: own.fd, slot: handle.slot, sticky });
  }
  return claimed.size;
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
