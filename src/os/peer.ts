/** Who is at the other end of a Unix socket, as the kernel vouches for it. */
import { SYSTEM } from './constants.ts';
import { call, isLinux, tryCall } from './libc.ts';

export interface Peer {
  /** 0 where the system does not tell. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The credentials that the other end had when it connected. */
export function peerOf(fd: number): Peer {
  return isLinux ? linuxPeer(fd) : darwinPeer(fd);
}

const SO_PEERCRED = 17;

function linuxPeer(fd: number): Peer {
  const credentials = Buffer.alloc(12);
  call('getsockopt', fd, SYSTEM.SOL_SOCKET, SO_PEERCRED, credentials, lengthOf(credentials));
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
}

const SOL_LOCAL = 0;
const LOCAL_PEERCRED = 1;
const LOCAL_PEERPID = 2;

function darwinPeer(fd: number): Peer {
  // struct xucred: version, uid, number of groups (16 bits, padded), sixteen groups.
  const credentials = Buffer.alloc(76);
  call('getsockopt', fd, SOL_LOCAL, LOCAL_PEERCRED, credentials, lengthOf(credentials));
  const pid = Buffer.alloc(4);
  const hasPid = tryCall('getsockopt', fd, SOL_LOCAL, LOCAL_PEERPID, pid, lengthOf(pid)) === 0;
  return { pid: hasPid ? pid.readInt32LE() : 0, uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(12) };
}

function lengthOf(buffer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(buffer.length);
  return length;
}
