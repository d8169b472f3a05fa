/** `sendmsg`: bytes to a socket at once, with the address of a receiver or without, with one descriptor or without. */
import { SYSTEM } from './constants.ts';
import { addressOf, isLinux, tryCall } from './libc.ts';

export interface SocketMessage {
  readonly bytes: Uint8Array;
  readonly descriptor: number | null;
  /** `struct sockaddr`, for a socket that is not connected. */
  readonly address?: Buffer;
}

/** How many bytes the kernel took; negative for an error, which `lastErrno` tells. Never waits, never signals. */
export function sendMessage(fd: number, { bytes, descriptor, address }: SocketMessage): number {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = Buffer.alloc(16);
  parts.writeBigUInt64LE(addressOf(content), 0);
  parts.writeBigUInt64LE(BigInt(content.length), 8);
  const control = descriptor === null ? null : encodeDescriptor(descriptor);
  // `struct msghdr`: macOS has 32-bit lengths where Linux has 64-bit ones; the gaps are zero.
  const header = Buffer.alloc(56);
  if (address !== undefined) {
    header.writeBigUInt64LE(addressOf(address), 0);
    header.writeUInt32LE(address.length, 8);
  }
  header.writeBigUInt64LE(addressOf(parts), 16);
  header.writeBigUInt64LE(1n, 24);
  if (control !== null) {
    header.writeBigUInt64LE(addressOf(control), 32);
    header.writeBigUInt64LE(BigInt(control.length), 40);
  }
  return tryCall('sendmsg', fd, header, SYSTEM.MSG_DONTWAIT | SYSTEM.MSG_NOSIGNAL);
}

/** `struct cmsghdr` with one descriptor. */
function encodeDescriptor(descriptor: number): Buffer {
  const headerBytes = isLinux ? 16 : 12;
  const control = Buffer.alloc(isLinux ? 24 : 16);
  control.writeUInt32LE(headerBytes + 4, 0);
  control.writeInt32LE(SYSTEM.SOL_SOCKET, headerBytes - 8);
  control.writeInt32LE(SCM_RIGHTS, headerBytes - 4);
  control.writeInt32LE(descriptor, headerBytes);
  return control;
}

const SCM_RIGHTS = 1;
