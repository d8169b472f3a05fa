/** Numbers of the socket interface that differ between Linux and macOS, and those that do not. */

interface SocketNumbers {
  readonly AF_INET6: number;
  readonly SOCK_CLOEXEC: number;
  readonly SOCK_NONBLOCK: number;
  readonly O_NONBLOCK: number;
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_REUSEPORT: number;
  readonly SO_ACCEPTCONN: number;
  readonly IPV6_V6ONLY: number;
  readonly MSG_DONTWAIT: number;
  readonly MSG_NOSIGNAL: number;
  readonly F_DUPFD_CLOEXEC: number;
  readonly EAGAIN: number;
  /** macOS writes the length of an address into its first byte. */
  readonly hasAddressLength: boolean;
}

const LINUX: SocketNumbers = {
  AF_INET6: 10,
  SOCK_CLOEXEC: 0x80000,
  SOCK_NONBLOCK: 0x800,
  O_NONBLOCK: 0x800,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  SO_ACCEPTCONN: 30,
  IPV6_V6ONLY: 26,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  F_DUPFD_CLOEXEC: 1030,
  EAGAIN: 11,
  hasAddressLength: false,
};

const DARWIN: SocketNumbers = {
  AF_INET6: 30,
  SOCK_CLOEXEC: 0,
  SOCK_NONBLOCK: 0,
  O_NONBLOCK: 4,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  SO_REUSEPORT: 0x200,
  SO_ACCEPTCONN: 2,
  IPV6_V6ONLY: 27,
  MSG_DONTWAIT: 0x80,
  MSG_NOSIGNAL: 0x80000,
  F_DUPFD_CLOEXEC: 67,
  EAGAIN: 35,
  hasAddressLength: true,
};

export const SYSTEM: SocketNumbers = process.platform === 'darwin' ? DARWIN : LINUX;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const FD_CLOEXEC = 1;
