/**
 * The receiving end of a notify socket: Unix datagrams with the descriptors that came along, which Node cannot receive.
 * Through the C library, polled, as a service manager would have them by epoll.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

export interface Datagram {
  readonly text: string;
  readonly descriptors: readonly number[];
  /** Of the sender, as the kernel vouches for it. */
  readonly pid: number;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_DONTWAIT_CLOEXEC = 0x40 | 0x40000000;
const HEADER_BYTES = 16;

const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
const libc = koffi.load(null);
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, void*, uint32)');
const setsockopt = libc.func('int setsockopt(int, int, int, void*, uint32)');
const recvmsg = libc.func('long recvmsg(int, void*, int)');
const close = libc.func('int close(int)');

/** `@name` is an abstract address. `onDatagram` owns the descriptors. */
export function receiveDatagrams(address: string, onDatagram: (datagram: Datagram) => void): Disposable {
  const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0) as number;
  const name = Buffer.from(address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`);
  const sockaddr = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  if (bind(fd, sockaddr, sockaddr.length) !== 0) throw new Error(`bind ${address}: errno ${koffi.errno()}`);
  setsockopt(fd, SOL_SOCKET, SO_PASSCRED, Buffer.from([1, 0, 0, 0]), 4);
  const timer = setInterval(() => {
    for (let datagram = receive(fd); datagram !== null; datagram = receive(fd)) onDatagram(datagram);
  }, 2);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      close(fd);
    },
  };
}

function receive(fd: number): Datagram | null {
  const content = Buffer.alloc(4096);
  const control = Buffer.alloc(2048);
  const parts = Buffer.alloc(16);
  parts.writeBigUInt64LE(koffi.address(content), 0);
  parts.writeBigUInt64LE(BigInt(content.length), 8);
  const header = Buffer.alloc(56);
  header.writeBigUInt64LE(koffi.address(parts), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  const length = Number(recvmsg(fd, header, MSG_DONTWAIT_CLOEXEC));
  if (length < 0) return null;
  const used = Number(header.readBigUInt64LE(40));
  let pid = 0;
  const descriptors: number[] = [];
  for (let at = 0; at + HEADER_BYTES <= used;) {
    const size = Number(control.readBigUInt64LE(at));
    const type = control.readInt32LE(at + 12);
    if (type === SCM_CREDENTIALS) pid = control.readInt32LE(at + HEADER_BYTES);
    if (type === SCM_RIGHTS)
      for (let next = at + HEADER_BYTES; next < at + size; next += 4) descriptors.push(control.readInt32LE(next));
    at += Math.ceil(size / 8) * 8;
  }
  return { text: content.toString('utf8', 0, length), descriptors, pid };
}
