/** The door of `os/`: what the operating system offers, one facility per file. */
export { giveBackFreeMemory, mapLargeBlocks } from './allocator.ts';
export { cpuQuota, memoryLeft, oomKills } from './cgroup.ts';
export { ChannelWriter, openChannelPair, sendOnChannel, WHOLE_MESSAGE_BYTES } from './channel.ts';
export type { ChannelPair, SendOutcome } from './channel.ts';
export { STICKY_BUCKETS, stickyBucket } from './client-hash.ts';
export {
  closeDescriptor,
  duplicate,
  findNamed,
  inodeIfOpen,
  inodeOf,
  nameOf,
  setCloexec,
  setNonblocking,
  replaceDescriptor,
} from './descriptor.ts';
export { attachClassic, detachProgram } from './dispatch-classic.ts';
export type { ClassicRule } from './dispatch-classic.ts';
export { ExactDispatch, MAX_SOCKETS, SCHEDULE_ENTRIES } from './dispatch-exact.ts';
export type { ExactMode } from './dispatch-exact.ts';
export { probeDispatch } from './dispatch-probe.ts';
export type { DispatchSupport } from './dispatch-probe.ts';
export { listeningSockets, openSockets, type ListeningSocket, type OpenSocket } from './listening.ts';
export { freeMemoryBytes, usableCpus } from './machine.ts';
export { openMemoryFile, readMemoryFile } from './memory-file.ts';
export { openNotifySocket } from './notify-socket.ts';
export type { NotifyOutcome, NotifySocket } from './notify-socket.ts';
export { isOsError, OsError } from './os-error.ts';
export { peerOf } from './peer.ts';
export type { Peer } from './peer.ts';
export { openPipe, type Pipe } from './pipe.ts';
export { exitOf, openPidfd, takeDescriptor, watchExit } from './pidfd.ts';
export type { ExitWatch } from './pidfd.ts';
export type { ExitStatus } from './exit-status.ts';
export { findPortOwner, listeningInodes } from './port-owner.ts';
export type { PortOwner } from './port-owner.ts';
export {
  bootId,
  children,
  descendants,
  findMarked,
  isAlive,
  leftovers,
  listPids,
  readCommandLine,
  readEnvironment,
  readRunning,
  readStat,
  readUsage,
  readUsers,
  readVariable,
  startTicks,
} from './procfs.ts';
export type { ProcessStat, ProcessUsage, Running } from './procfs.ts';
export { punchHole } from './punch-hole.ts';
export { reapChild, reapOrphans } from './reap.ts';
export {
  acceptQueue,
  canBindExclusively,
  DEFAULT_BACKLOG,
  isDeadSocket,
  isListening,
  listenSocket,
  setBacklog,
  setReusePort,
  socketAddress,
  stopListening,
  unixListenSocket,
} from './socket.ts';
export type { AcceptQueue, ListenOptions, UnixListenOptions } from './socket.ts';
export { handshakesOn, listenersBeside, unixRows } from './socket-table.ts';
export { lookupUser } from './user.ts';
export type { User } from './user.ts';
