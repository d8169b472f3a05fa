/**
 * What this room asks of the kernel about listening sockets and the processes that accept, and its waits. One object, so
 * that a simulation can have a kernel and a clock of its own.
 */
import { fstatSync } from 'node:fs';
import {
  acceptQueue,
  canBindExclusively,
  closeDescriptor,
  findPortOwner,
  handshakesOn,
  inodeOf,
  isListening,
  listenSocket,
  readRunning,
  setBacklog,
  setReusePort,
  socketAddress,
  stopListening,
} from '../os/index.ts';

export const systemKernel = {
  acceptQueue,
  canBindExclusively,
  closeDescriptor,
  findPortOwner,
  handshakesOn,
  inodeOf,
  isListening,
  listenSocket,
  readRunning,
  setBacklog,
  setReusePort,
  socketAddress,
  stopListening,
  /** Who owns a socket: shards beside it must be of the same user. */
  ownerOf: (fd: number): number => fstatSync(fd).uid,
  /** Calls back once; alone it keeps no process alive. Returns what calls it off. */
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};

export type NetKernel = typeof systemKernel;
