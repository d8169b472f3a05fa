/**
 * Listening sockets, made through libc so that Node never polls or accepts on them: the daemon only keeps them open.
 *
 * Node cannot do this itself: it has no way to bind with `SO_REUSEPORT` for another user's group, to hand over a
 * backlog above 511, or to read the accept queue.
 */
import { chmodSync, fchownSync, lchownSync, lstatSync, unlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ListenAddress } from '../protocol/index.ts';
import { AF_INET, AF_UNIX, IPPROTO_IPV6, IPPROTO_TCP, SOCK_STREAM, SYSTEM } from './constants.ts';
import { closeDescriptor, setCloexec, setNonblocking } from './descriptor.ts';
import { call, isLinux, tryCall } from './libc.ts';
import { isOsError, OsError } from './os-error.ts';

/** `listen({ fd })` in a worker would cut the queue to 511; ours is as long as the kernel allows. */
export const DEFAULT_BACKLOG = 4096;
const SHUT_RDWR = 2;

export interface ListenOptions {
  /** Literal IP address; a zone (`fe80::1%eth0`) is understood. */
  readonly host: string;
  /** 0 asks for a free port. */
  readonly port: number;
  readonly v6only: boolean;
  readonly reusePort: boolean;
  readonly backlog?: number;
  /** Reuseport groups are per user: sockets for a worker of another user are given to it before `bind`. */
  readonly uid?: number | null;
}

/** A listening TCP socket, closed on exec and non-blocking. */
export function listenSocket(options: ListenOptions): number {
  return openSocket(familyOf(options.host), (fd) => {
    bindTcp(fd, options);
    call('listen', fd, options.backlog ?? DEFAULT_BACKLOG);
  });
}

/**
 * Ends a listening socket for everybody who holds a descriptor of it: from now on connections are refused, and the
 * address is free. Nobody may still poll it: they would be told of an error.
 */
export function stopListening(fd: number): void {
  // Refused where it does not listen any more, which is what was wanted.
  tryCall('shutdown', fd, SHUT_RDWR);
}

function bindTcp(fd: number, options: ListenOptions): void {
  setFlag(fd, SYSTEM.SOL_SOCKET, SYSTEM.SO_REUSEADDR, true);
  if (options.reusePort) setFlag(fd, SYSTEM.SOL_SOCKET, SYSTEM.SO_REUSEPORT, true);
  if (options.host.includes(':')) setFlag(fd, IPPROTO_IPV6, SYSTEM.IPV6_V6ONLY, options.v6only);
  // The kernel compares the owners of the sockets in a group at bind time.
  if (options.uid !== undefined && options.uid !== null) fchownSync(fd, options.uid, -1);
  const address = encodeAddress(options.host, options.port);
  call('bind', fd, address, address.length);
}

/**
 * Null when nobody listens there, else the refusal. `SO_REUSEPORT` hides a neighbour of the same user, so this binds
 * once without it. It does not listen: nobody must be able to connect to a socket that goes at once.
 */
export function canBindExclusively(address: ListenAddress): OsError | null {
  if (address.kind === 'unix') return null;
  try {
    closeDescriptor(openSocket(familyOf(address.host), (fd) => bindTcp(fd, { ...address, reusePort: false })));
    return null;
  } catch (error) {
    if (isOsError(error)) return error;
    throw error;
  }
}

export interface UnixListenOptions {
  readonly backlog?: number;
  readonly uid?: number | null;
  readonly mode?: number;
}

/** A listening Unix socket at a path. The file of a dead listener is replaced; anything else there is EADDRINUSE. */
export function unixListenSocket(path: string, options: UnixListenOptions = {}): number {
  return openSocket(AF_UNIX, (fd) => {
    const address = encodePath(path);
    try {
      call('bind', fd, address, address.length);
    } catch (error) {
      if (!isOsError(error, 'EADDRINUSE') || !isDeadSocket(path)) throw error;
      unlinkSync(path);
      call('bind', fd, address, address.length);
    }
    if (options.mode !== undefined) chmodSync(path, options.mode);
    if (options.uid !== undefined && options.uid !== null) lchownSync(path, options.uid, -1);
    call('listen', fd, options.backlog ?? DEFAULT_BACKLOG);
  });
}

/** A socket file that nobody listens behind. Where somebody does, one connection is made and closed. */
export function isDeadSocket(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const fd = openSocket(AF_UNIX, () => {});
  try {
    const address = encodePath(path);
    call('connect', fd, address, address.length);
    return false;
  } catch (error) {
    return isOsError(error, 'ECONNREFUSED');
  } finally {
    closeDescriptor(fd);
  }
}

export interface AcceptQueue {
  /** Connections that no process has accepted yet. */
  readonly depth: number;
  readonly limit: number;
}

const tcpInfo = Buffer.alloc(104);
const tcpInfoLength = Buffer.alloc(4);

/** How many connections wait on a listening TCP socket, or null where the system does not tell. */
export function acceptQueue(fd: number): AcceptQueue | null {
  if (!isLinux) return null;
  tcpInfoLength.writeUInt32LE(tcpInfo.length);
  if (tryCall('getsockopt', fd, IPPROTO_TCP, TCP_INFO, tcpInfo, tcpInfoLength) < 0) return null;
  // On a listener the kernel puts the queue where a connection has its unacknowledged and sacked segments.
  return { depth: tcpInfo.readUInt32LE(24), limit: tcpInfo.readUInt32LE(28) };
}

const TCP_INFO = 11;

export function isListening(fd: number): boolean {
  return readFlag(fd, SYSTEM.SOL_SOCKET, SYSTEM.SO_ACCEPTCONN) === 1;
}

/** Works on a bound, listening socket too: that is how a port that a worker bound by itself becomes a group. */
export function setReusePort(fd: number): void {
  setFlag(fd, SYSTEM.SOL_SOCKET, SYSTEM.SO_REUSEPORT, true);
}

/** Lengthens (or shortens) the queue of a socket that listens already. */
export function setBacklog(fd: number, backlog: number = DEFAULT_BACKLOG): void {
  call('listen', fd, backlog);
}

/** Where a socket is bound. */
export function socketAddress(fd: number): ListenAddress {
  const address = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  call('getsockname', fd, address, length);
  const family = SYSTEM.hasAddressLength ? address.readUInt8(1) : address.readUInt16LE(0);
  if (family === AF_UNIX) return { kind: 'unix', path: decodePath(address.subarray(2, length.readUInt32LE(0))) };
  const isV6 = family === SYSTEM.AF_INET6;
  return {
    kind: 'tcp',
    host: decodeHost(family, address.subarray(isV6 ? 8 : 4), isV6 ? address.readUInt32LE(24) : 0),
    port: address.readUInt16BE(2),
    v6only: isV6 && readFlag(fd, IPPROTO_IPV6, SYSTEM.IPV6_V6ONLY) === 1,
  };
}

function openSocket(family: number, prepare: (fd: number) => void): number {
  const fd = call('socket', family, SOCK_STREAM | SYSTEM.SOCK_CLOEXEC | SYSTEM.SOCK_NONBLOCK, 0);
  try {
    if (!isLinux) {
      setCloexec(fd, true);
      setNonblocking(fd);
    }
    prepare(fd);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

const flag = Buffer.alloc(4);
const flagLength = Buffer.alloc(4);

function setFlag(fd: number, level: number, option: number, isOn: boolean): void {
  flag.writeInt32LE(isOn ? 1 : 0);
  call('setsockopt', fd, level, option, flag, flag.length);
}

function readFlag(fd: number, level: number, option: number): number {
  flagLength.writeUInt32LE(flag.length);
  call('getsockopt', fd, level, option, flag, flagLength);
  return flag.readInt32LE();
}

function familyOf(host: string): number {
  return host.includes(':') ? SYSTEM.AF_INET6 : AF_INET;
}

function encodeAddress(host: string, port: number): Buffer {
  const family = familyOf(host);
  const isV6 = family === SYSTEM.AF_INET6;
  const address = Buffer.alloc(isV6 ? 28 : 16);
  writeFamily(address, family);
  address.writeUInt16BE(port, 2);
  const [literal = '', zone] = host.split('%');
  if (tryCall('inet_pton', family, literal, address.subarray(isV6 ? 8 : 4)) !== 1) {
    throw new TypeError(`Not an IP address: ${host}`);
  }
  if (isV6) address.writeUInt32LE(zone === undefined ? 0 : findScope(zone), 24);
  return address;
}

function decodeHost(family: number, bytes: Buffer, scope: number): string {
  const text = Buffer.alloc(64);
  tryCall('inet_ntop', family, bytes, text, text.length);
  const host = text.toString('latin1', 0, text.indexOf(0));
  return scope === 0 ? host : `${host}%${findZone(scope)}`;
}

function findScope(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const found = networkInterfaces()[zone]?.find((entry) => entry.family === 'IPv6');
  return found?.family === 'IPv6' ? found.scopeid : 0;
}

function findZone(scope: number): string {
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    if (entries?.some((entry) => entry.family === 'IPv6' && entry.scopeid === scope)) return name;
  }
  return String(scope);
}

/** The address of a Unix socket; a name in Linux's abstract space begins with a zero byte. */
export function encodePath(path: string): Buffer {
  const bytes = Buffer.from(path);
  const room = SYSTEM.hasAddressLength ? 104 : 108;
  if (bytes.length >= room) throw new OsError('bind', ENAMETOOLONG, path);
  // An abstract name has no end mark.
  const address = Buffer.alloc(2 + bytes.length + (path.startsWith('\0') ? 0 : 1));
  writeFamily(address, AF_UNIX);
  bytes.copy(address, 2);
  return address;
}

function decodePath(bytes: Buffer): string {
  if (bytes[0] === 0) return bytes.toString();
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function writeFamily(address: Buffer, family: number): void {
  if (!SYSTEM.hasAddressLength) {
    address.writeUInt16LE(family, 0);
    return;
  }
  address.writeUInt8(address.length, 0);
  address.writeUInt8(family, 1);
}

const ENAMETOOLONG = isLinux ? 36 : 63;
