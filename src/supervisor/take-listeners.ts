/** Duplicates of the sockets on which a worker listens, taken from the process itself. */
import { readdirSync, readlinkSync } from 'node:fs';
import { closeDescriptor, descendants, inodeOf, isListening, socketAddress, takeDescriptor } from '../os/index.ts';
import type { ListenAddress } from '../protocol/index.ts';
import type { TakenListener } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

export const takeListeners = (handle: WorkerHandle, address: ListenAddress): readonly TakenListener[] => {
  const taken = new Map<number, TakenListener>();
  for (const pid of processesOf(handle)) {
    for (const number of socketsOf(pid)) {
      const fd = tryTake(pid, number);
      if (fd === null) continue;
      const inode = inodeOf(fd);
      const isWanted = isListening(fd) && isSameAddress(socketAddress(fd), address) && !taken.has(inode);
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
