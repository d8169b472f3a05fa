/**
 * The daemon's end of a worker's channel: a socketpair in the place of Node's IPC channel, over which descriptors can
 * be handed to a *running* worker (`SCM_RIGHTS`). What the messages say is `protocol/agent.ts`; this only moves bytes.
 *
 * Never waits: a worker that does not read must not hold up the daemon.
 */
import type { Socket } from 'node:net';
import { AF_UNIX, SOCK_STREAM, SYSTEM } from './constants.ts';
import { closeDescriptor, duplicate, setCloexec, setNonblocking } from './descriptor.ts';
import { call, isLinux, lastErrno } from './libc.ts';
import { sendMessage } from './socket-message.ts';

export interface ChannelPair {
  readonly daemonFd: number;
  readonly workerFd: number;
}

/** Two connected ends, both non-blocking and closed on exec (a worker gets its end by `stdio` at spawn). */
export function openChannelPair(): ChannelPair {
  const pair = Buffer.alloc(8);
  call('socketpair', AF_UNIX, SOCK_STREAM | SYSTEM.SOCK_CLOEXEC | SYSTEM.SOCK_NONBLOCK, 0, pair);
  const [daemonFd, workerFd] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  if (!isLinux) {
    for (const fd of [daemonFd, workerFd]) {
      setCloexec(fd, true);
      setNonblocking(fd);
    }
  }
  return { daemonFd, workerFd };
}

export type SendOutcome = 'sent' | 'full' | 'closed';

/** Up to this size a message is taken by the kernel whole or not at all. */
export const WHOLE_MESSAGE_BYTES = 32 * 1024;

/**
 * Sends one small message, with a descriptor or without. `full`: nothing was taken, try again later; `closed`: nobody
 * will ever read it. For messages of any size, and for waiting, see {@link ChannelWriter}.
 */
export function sendOnChannel(fd: number, bytes: Uint8Array, descriptor: number | null): SendOutcome {
  if (bytes.length > WHOLE_MESSAGE_BYTES) throw new RangeError(`A message of ${bytes.length} bytes may be cut in two.`);
  const taken = sendSome(fd, bytes, descriptor);
  return typeof taken === 'number' ? 'sent' : taken;
}

/** How many bytes the kernel took at once, at least one. */
function sendSome(fd: number, bytes: Uint8Array, descriptor: number | null): number | 'full' | 'closed' {
  const taken = sendMessage(fd, { bytes, descriptor });
  if (taken >= 0) return taken;
  const errno = lastErrno();
  // ENOBUFS: macOS says so instead of EAGAIN. EPIPE, ECONNRESET, EBADF and the like: the other end is gone.
  return errno === SYSTEM.EAGAIN || errno === ENOBUFS || errno === EINTR || errno === ETOOMANYREFS ? 'full' : 'closed';
}

const EINTR = 4;
const ENOBUFS = isLinux ? 105 : 55;
/** Too many descriptors under way to processes that have not received them yet. */
const ETOOMANYREFS = isLinux ? 109 : 59;

interface Pending {
  readonly bytes: Uint8Array;
  /** A duplicate made for this queue, closed once sent. */
  readonly descriptor: number | null;
}

/** How long a full channel is left alone; the worker that empties it gives no sign. */
const RETRY_MS = 5;
/** A worker that reads nothing for this much is treated as gone. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Each is a descriptor of the daemon's, and one worker that asks and never reads must not take them all. */
const MAX_QUEUED_DESCRIPTORS = 512;

/**
 * Sends messages of any size in order, and keeps what a busy worker has no room for. It does not own `fd`; call
 * {@link close} before closing that, or {@link closeBefore} where a socket does.
 */
export class ChannelWriter {
  readonly #fd: number;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #queuedDescriptors = 0;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** False when the other end is gone, or reads so little that it may as well be. */
  send(bytes: Uint8Array, descriptor: number | null = null): boolean {
    if (this.#isClosed || this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES) return false;
    if (descriptor !== null && this.#queuedDescriptors >= MAX_QUEUED_DESCRIPTORS) return false;
    if (this.#queue.length > 0) {
      this.#keep(bytes, descriptor);
      return true;
    }
    const taken = sendSome(this.#fd, bytes, descriptor);
    if (taken === 'closed') this.close();
    else if (taken === 'full') this.#keep(bytes, descriptor);
    else if (taken < bytes.length) this.#keep(bytes.subarray(taken), null);
    return !this.#isClosed;
  }

  /**
   * Closes before this socket closes its descriptor, whose number may be anybody's from then on: a client's connection, or
   * the state. No event of the socket comes in time.
   */
  closeBefore(socket: Socket): void {
    const destroy = socket._destroy.bind(socket);
    socket._destroy = (error, callback) => {
      this.close();
      destroy(error, callback);
    };
  }

  /** Drops what was not sent. */
  close(): void {
    this.#isClosed = true;
    for (const { descriptor } of this.#queue) if (descriptor !== null) closeDescriptor(descriptor);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#queuedDescriptors = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #keep(bytes: Uint8Array, descriptor: number | null): void {
    // The caller may reuse its buffer and close its descriptor when `send` returns.
    const own = descriptor === null ? null : duplicate(descriptor);
    this.#queue.push({ bytes: Uint8Array.from(bytes), descriptor: own });
    this.#queuedBytes += bytes.length;
    if (own !== null) this.#queuedDescriptors += 1;
    this.#timer ??= setTimeout(() => this.#retry(), RETRY_MS).unref();
  }

  #retry(): void {
    this.#timer = null;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const taken = sendSome(this.#fd, first.bytes, first.descriptor);
      if (taken === 'closed') return this.close();
      if (taken === 'full') break;
      if (first.descriptor !== null) {
        closeDescriptor(first.descriptor);
        this.#queuedDescriptors -= 1;
      }
      this.#queuedBytes -= taken;
      if (taken < first.bytes.length) {
        this.#queue[0] = { bytes: first.bytes.subarray(taken), descriptor: null };
      } else this.#queue.shift();
    }
    if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#retry(), RETRY_MS).unref();
  }
}
