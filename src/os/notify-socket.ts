/**
 * The daemon's way to the service manager that started it: datagrams to the socket that `NOTIFY_SOCKET` names, each
 * with one descriptor or none (sd_notify(3)). What they say is `daemon/service-manager/`; this only sends them.
 *
 * Never waits: a service manager that is busy must not hold up the daemon.
 */
import { AF_UNIX, SOCK_DGRAM, SYSTEM } from './constants.ts';
import { closeDescriptor, setCloexec } from './descriptor.ts';
import { call, lastErrno } from './libc.ts';
import { encodePath } from './socket.ts';
import { sendMessage } from './socket-message.ts';

/** `full`: its queue has no room, try again soon. `absent`: nobody receives there now, which may change. */
export type NotifyOutcome = 'sent' | 'full' | 'absent';

export interface NotifySocket {
  send(text: string, descriptor?: number | null): NotifyOutcome;
  close(): void;
}

/** Null for an address that is no Unix socket (`vsock:` of a virtual machine's host). */
export function openNotifySocket(address: string): NotifySocket | null {
  if (!/^[/@]/.test(address)) return null;
  // `@` stands for the zero byte of the abstract space.
  const receiver = encodePath(address.replace(/^@/, '\0'));
  const fd = call('socket', AF_UNIX, SOCK_DGRAM | SYSTEM.SOCK_CLOEXEC, 0);
  setCloexec(fd, true);
  return {
    send(text, descriptor = null) {
      // Addressed each time and not connected: the manager may have been executed anew, on a new socket.
      if (sendMessage(fd, { bytes: Buffer.from(text), descriptor, address: receiver }) >= 0) return 'sent';
      return PASSING.has(lastErrno()) ? 'full' : 'absent';
    },
    close: () => closeDescriptor(fd),
  };
}

/** EINTR, EAGAIN, ENOBUFS, ETOOMANYREFS (descriptors under way that were not received yet). */
const PASSING: ReadonlySet<number> = new Set([4, SYSTEM.EAGAIN, 105, 109]);
