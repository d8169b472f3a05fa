/**
 * The kernel's list of TCP sockets by netlink: it only tells what was asked for, where /proc/net/tcp writes out every
 * connection of the machine (a busy server's take it hundreds of milliseconds).
 */
import { SYSTEM } from './constants.ts';
import { closeDescriptor } from './descriptor.ts';
import { call } from './libc.ts';
import { OsError } from './os-error.ts';
import type { TcpQuestion, TcpRow } from './socket-table.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const REQUEST_DUMP = 0x301;
const MESSAGE_ERROR = 2;
const MESSAGE_DONE = 3;
const IPPROTO_TCP = 6;

const HEADER_BYTES = 16;
const REPLY_BYTES = 32 * 1024;

/** Throws an `OsError` where netlink is closed to us. */
export function askSocketDiag(question: TcpQuestion, family: number): readonly TcpRow[] {
  const fd = call('socket', AF_NETLINK, SOCK_RAW | SYSTEM.SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  try {
    const request = encodeRequest(question, family);
    call('send', fd, request, request.length, 0);
    return readReplies(fd);
  } finally {
    closeDescriptor(fd);
  }
}

/** `struct nlmsghdr`, then `struct inet_diag_req_v2`. */
function encodeRequest({ port, state }: TcpQuestion, family: number): Buffer {
  const request = Buffer.alloc(HEADER_BYTES + 56);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(REQUEST_DUMP, 6);
  request.writeUInt8(family, 16);
  request.writeUInt8(IPPROTO_TCP, 17);
  request.writeUInt32LE(1 << state, 20);
  // None is any.
  request.writeUInt16BE(port ?? 0, 24);
  return request;
}

function readReplies(fd: number): readonly TcpRow[] {
  const rows: TcpRow[] = [];
  const reply = Buffer.alloc(REPLY_BYTES);
  for (;;) {
    const end = call('recv', fd, reply, reply.length, 0);
    for (let at = 0; at + HEADER_BYTES <= end;) {
      const type = reply.readUInt16LE(at + 4);
      if (type === MESSAGE_DONE) return rows;
      if (type === MESSAGE_ERROR) throw new OsError('netlink', -reply.readInt32LE(at + HEADER_BYTES));
      rows.push(decodeRow(reply.subarray(at + HEADER_BYTES)));
      at += (reply.readUInt32LE(at) + 3) & ~3;
    }
  }
}

/** `struct inet_diag_msg`. */
function decodeRow(message: Buffer): TcpRow {
  const isV6 = message.readUInt8(0) === SYSTEM.AF_INET6;
  const length = isV6 ? 16 : 4;
  return {
    host: message.toString('hex', 8, 8 + length),
    port: message.readUInt16BE(4),
    remote: `${message.toString('hex', 24, 24 + length)}:${message.readUInt16BE(6)}`,
    inode: message.readUInt32LE(68),
    isV6,
  };
}
