/** Duplicates of the sockets on which a worker listens, taken from the process itself. */
import {
  closeDescriptor,
  descendants,
  inodeOf,
  isListening,
  listeningInodes,
  openSockets,
  socketAddress,
  takeDescriptor,
} from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { Processes, TakenListener } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

export const takeListeners: Processes['takeListeners'] = (handles, address) => {
  const all = listeningInodes(address);
  return new Map(handles.map((handle) => [handle, takeFrom(handle, address, all)]));
};

/** `all`: the sockets that listen there. */
const takeFrom = (handle: WorkerHandle, address: ListenAddress, all: ReadonlySet<number>): readonly TakenListener[] => {
  const taken = new Map<number, TakenListener>();
  for (const pid of processesOf(handle)) {
    for (const { fd: number, inode } of openSockets(pid)) {
      // Where the system does not tell who listens there, each is looked at.
      if (taken.has(inode) || (all.size > 0 && !all.has(inode))) continue;
      const fd = tryTake(pid, number);
      if (fd === null) continue;
      // Another socket may have its number by now.
      const isWanted = inodeOf(fd) === inode && isListening(fd) && isSameAddress(socketAddress(fd), address);
      if (isWanted) taken.set(inode, { fd, inode, close: () => closeDescriptor(fd) });
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

const isSameAddress = (a: ListenAddress, b: ListenAddress): boolean =>
  a.kind === 'tcp' && b.kind === 'tcp'
    ? a.port === b.port && a.host === b.host
    : a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
