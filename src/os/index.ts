/** The door of `os/`: what the operating system offers, one facility per file. */
export { ChannelWriter, openChannelPair, sendOnChannel, WHOLE_MESSAGE_BYTES } from './channel.ts';
export type { ChannelPair, SendOutcome } from './channel.ts';
export { closeDescriptor, duplicate, inodeOf, setCloexec, setNonblocking } from './descriptor.ts';
export { isOsError, OsError } from './os-error.ts';
export {
  acceptQueue,
  canBindExclusively,
  DEFAULT_BACKLOG,
  isListening,
  listenSocket,
  setBacklog,
  setReusePort,
  socketAddress,
  unixListenSocket,
} from './socket.ts';
export type { AcceptQueue, ListenOptions, UnixListenOptions } from './socket.ts';
