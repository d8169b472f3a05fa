/** On which TCP ports given processes listen: for programs that our agent does not come to. Linux only; else nothing. */
import { readdirSync, readlinkSync } from 'node:fs';
import type { ListenAddress } from '../protocol/index.ts';
import { LISTEN, listTcp, type TcpRow } from './socket-table.ts';

export interface ListeningSocket {
  readonly pid: number;
  readonly inode: number;
  readonly address: Extract<ListenAddress, { kind: 'tcp' }>;
}

export function listeningSockets(pids: readonly number[]): readonly ListeningSocket[] {
  const rows = listTcp({ port: null, state: LISTEN });
  if (rows.length === 0) return [];
  return pids.flatMap((pid) => {
    const inodes = socketInodes(pid);
    return rows
      .filter(({ inode }) => inodes.has(inode))
      .map((row) => ({ pid, inode: row.inode, address: addressOf(row) }));
  });
}

function addressOf({ host, port, isV6 }: TcpRow): ListeningSocket['address'] {
  return { kind: 'tcp', host: hostOf(Buffer.from(host, 'hex'), isV6), port, v6only: false };
}

function hostOf(bytes: Buffer, isV6: boolean): string {
  if (!isV6) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser knows the canonical form.
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

const socketInodes = (pid: number): ReadonlySet<number> => new Set(openSockets(pid).map(({ inode }) => inode));

export interface OpenSocket {
  readonly fd: number;
  readonly inode: number;
}

/** What sockets a process has open. Those that it opens or closes meanwhile may be missing. */
export function openSockets(pid: number): readonly OpenSocket[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [{ fd: Number(fd), inode: Number(inode) }];
    });
  } catch {
    // It ended, or is not ours to look into.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}
