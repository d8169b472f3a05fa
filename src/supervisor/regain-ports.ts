/**
 * The third way to keep a shard over the daemon's death, for what nothing else kept: the guard died with it, or the
 * daemon died before a guard had the shard of a worker that it had just started. Every worker has a duplicate of its own,
 * and the new daemon takes it from there.
 */
import {
  closeDescriptor,
  descendants,
  inodeOf,
  isListening,
  listeningInodes,
  openSockets,
  type OpenSocket,
  socketAddress,
  takeDescriptor,
} from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Takes back the listening sockets of the app's known ports that nobody kept. */
export const regainPorts = (app: App): void => {
  const { sockets } = app.regained;
  const { traffic, records } = app.edges;
  // What was kept is there already: a port without shards of its own is one socket.
  const kept = traffic.view(app.app);
  for (const { shards } of kept) sockets.kept += Math.max(1, shards.length);
  const missing = records.ports
    .list(app.app)
    .map(({ address }) => address)
    .filter((address) => traffic.findPort(app.app, address) === null);
  const look = lookOnce();
  for (const address of [...missing, ...traffic.ports(app.app).map((port) => port.address)]) {
    const taken = regainShards(app, address, look);
    sockets.workers += taken;
    // Where nobody lives, nobody has it, and nothing was lost.
    const isLost = traffic.findPort(app.app, address) === null && app.liveHandles().length > 0;
    if (isLost) sockets.nowhere += 1;
  }
};

interface Candidate {
  readonly handle: WorkerHandle;
  /** Duplicates of its sockets on this address: its own shard, and those of siblings that it covers for. */
  readonly taken: readonly { readonly fd: number; readonly inode: number }[];
}

/** Those of workers whose slots have none; returns how many there were. */
const regainShards = (app: App, address: ListenAddress, look: Look): number => {
  const { traffic } = app.edges;
  const port = traffic.findPort(app.app, address);
  const shards = traffic.view(app.app).find(({ key }) => key === port?.key)?.shards ?? [];
  const hasShard = new Set(shards.map(({ slot }) => slot));
  const claimed = new Set(port === null ? [] : shards.map(({ slot }) => inodeOf(port.shard(slot).fd)));
  // A path has one socket for all.
  if (port !== null && (address.kind === 'unix' || traffic.level === 'shared')) return 0;
  const lacking = app.liveHandles().filter(({ slot }) => !hasShard.has(slot));
  if (lacking.length === 0) return 0;
  const all = listeningInodes(address);
  const isWanted = (inode: number): boolean => !claimed.has(inode) && (all.size === 0 || all.has(inode));
  const candidates = lacking.map((handle): Candidate => ({
    handle,
    taken: takeListening(
      look(handle).filter(({ inode }) => isWanted(inode)),
      address,
    ),
  }));
  const before = claimed.size;
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const { handle, taken } of candidates.toSorted((a, b) => a.taken.length - b.taken.length)) {
    // Two workers of one slot, during a reload, have the same.
    const own = hasShard.has(handle.slot) ? undefined : taken.find(({ inode }) => !claimed.has(inode));
    for (const { fd } of taken) if (fd !== own?.fd) closeDescriptor(fd);
    if (own === undefined) continue;
    claimed.add(own.inode);
    hasShard.add(handle.slot);
    const { sticky } = app.state.config;
    traffic.adoptPort({ app: app.app, address, fd: own.fd, slot: handle.slot, sticky });
  }
  return claimed.size - before;
};

interface Socket extends OpenSocket {
  readonly pid: number;
}

/** The sockets that a worker has, without taking any. */
type Look = (handle: WorkerHandle) => readonly Socket[];

/** Looks at each worker once: it may be asked for every port that others have and it has not. */
const lookOnce = (): Look => {
  const seen = new Map<WorkerHandle, readonly Socket[]>();
  return (handle) => {
    const known =
      seen.get(handle) ?? processesOf(handle).flatMap((pid) => openSockets(pid).map((socket) => ({ pid, ...socket })));
    seen.set(handle, known);
    return known;
  };
};

const takeListening = (sockets: readonly Socket[], address: ListenAddress): Candidate['taken'] => {
  const taken = new Map<number, { fd: number; inode: number }>();
  for (const { pid, fd: number, inode } of sockets) {
    const fd = taken.has(inode) ? null : tryTake(pid, number);
    if (fd === null) continue;
    // Another socket may have its number by now.
    const isWanted = inodeOf(fd) === inode && isListening(fd) && isSameAddress(socketAddress(fd), address);
    if (isWanted) taken.set(inode, { fd, inode });
    else closeDescriptor(fd);
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

const isSameAddress = (a: ListenAddress, b: ListenAddress): boolean =>
  a.kind === 'tcp' && b.kind === 'tcp'
    ? a.port === b.port && a.host === b.host
    : a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
