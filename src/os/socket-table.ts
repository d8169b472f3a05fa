/**
 * The kernel's tables of sockets: who is bound where, in which order, and who is half-way in. By netlink, or under
 * /proc/net where that is closed to us.
 */
import { readFileSync } from 'node:fs';
import { AF_INET, SYSTEM } from './constants.ts';
import { isOsError } from './os-error.ts';
import { askSocketDiag } from './socket-diag.ts';

export interface TcpRow {
  /** Hexadecimal, in the order of the network. */
  readonly host: string;
  readonly port: number;
  readonly remote: string;
  readonly inode: number;
  readonly isV6: boolean;
}

/** States by the kernel's numbers. */
export const LISTEN = 10;
const HANDSHAKE = 3;

export interface TcpQuestion {
  /** Null: any. */
  readonly port: number | null;
  readonly state: number;
}

export function listTcp(question: TcpQuestion): readonly TcpRow[] {
  try {
    return [...askSocketDiag(question, AF_INET), ...askSocketDiag(question, SYSTEM.AF_INET6)];
  } catch (error) {
    if (!isOsError(error)) throw error;
    return [...readTcp('/proc/net/tcp', false, question), ...readTcp('/proc/net/tcp6', true, question)];
  }
}

/**
 * The inodes of all sockets that listen on the very address of one of ours, ours included, in the order in which they
 * began to listen. Empty where the system does not tell.
 */
export function listenersBeside(inode: number, port: number): readonly number[] {
  const rows = listTcp({ port, state: LISTEN });
  const own = rows.find((row) => row.inode === inode);
  if (own === undefined) return [];
  const inodes = rows.filter(({ host, isV6 }) => host === own.host && isV6 === own.isV6).map((row) => row.inode);
  // The kernel puts IPv6 sockets that share a port at the end of its list, and IPv4 ones at the beginning.
  return own.isV6 ? inodes : inodes.reverse();
}

/** Clients whose handshake with this port has begun but not ended. */
export function handshakesOn(port: number): ReadonlySet<string> {
  return new Set(listTcp({ port, state: HANDSHAKE }).map((row) => row.remote));
}

function readTcp(file: string, isV6: boolean, question: TcpQuestion): readonly TcpRow[] {
  const hexPort = question.port?.toString(16).toUpperCase().padStart(4, '0') ?? null;
  const hexState = question.state.toString(16).toUpperCase().padStart(2, '0');
  return rowsOf(file)
    .filter(([, local = '', , state]) => state === hexState && (hexPort === null || local.endsWith(`:${hexPort}`)))
    .map(([, local = '', remote = '', , , , , , , inode]) => {
      const [host = '', port = ''] = local.split(':');
      return { host: toNetworkOrder(host), port: Number.parseInt(port, 16), remote, inode: Number(inode), isV6 };
    });
}

/** /proc writes addresses as 32-bit words of this machine. */
function toNetworkOrder(hex: string): string {
  return Buffer.from(hex, 'hex').swap32().toString('hex');
}

export interface UnixRow {
  readonly path: string;
  readonly inode: number;
  /** Else it is one end of a connection, which has the path of the socket that it was accepted on. */
  readonly isListening: boolean;
}

const UNIX_LISTENS = 0x1_00_00;

export function unixRows(): readonly UnixRow[] {
  return rowsOf('/proc/net/unix').map((row) => ({
    path: row.slice(7).join(' '),
    inode: Number(row[6]),
    isListening: (Number.parseInt(row[3] ?? '', 16) & UNIX_LISTENS) !== 0,
  }));
}

function rowsOf(file: string): readonly string[][] {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
