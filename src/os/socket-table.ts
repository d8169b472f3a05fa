/** The kernel's tables of sockets under /proc/net: who is bound where, in which order, and who is half-way in. */
import { readFileSync } from 'node:fs';

export interface TcpRow {
  /** Hexadecimal, as the kernel shows it. */
  readonly host: string;
  readonly port: number;
  readonly remote: string;
  readonly state: string;
  readonly inode: number;
  readonly isV6: boolean;
}

const LISTEN = '0A';
const HANDSHAKE = '03';

export function tcpRows(): readonly TcpRow[] {
  return [...readTcp('/proc/net/tcp', false), ...readTcp('/proc/net/tcp6', true)];
}

export function isListeningRow(row: TcpRow): boolean {
  return row.state === LISTEN;
}

/**
 * The inodes of all sockets that listen on the very address of one of ours, ours included, in the order in which they
 * began to listen. Empty where the system does not tell.
 */
export function listenersBeside(inode: number): readonly number[] {
  const rows = tcpRows().filter((row) => isListeningRow(row));
  const own = rows.find((row) => row.inode === inode);
  if (own === undefined) return [];
  const inodes = rows
    .filter(({ host, port, isV6 }) => host === own.host && port === own.port && isV6 === own.isV6)
    .map((row) => row.inode);
  // The kernel puts IPv6 sockets that share a port at the end of its list, and IPv4 ones at the beginning.
  return own.isV6 ? inodes : inodes.reverse();
}

/** Clients whose handshake with this port has begun but not ended. */
export function handshakesOn(port: number): ReadonlySet<string> {
  return new Set(
    tcpRows()
      .filter((row) => row.state === HANDSHAKE && row.port === port)
      .map((row) => row.remote),
  );
}

function readTcp(file: string, isV6: boolean): readonly TcpRow[] {
  return rowsOf(file).map(([, local = '', remote = '', state = '', , , , , , inode = '']) => {
    const [host = '', port = ''] = local.split(':');
    return { host, port: Number.parseInt(port, 16), remote, state, inode: Number(inode), isV6 };
  });
}

export interface UnixRow {
  readonly path: string;
  readonly inode: number;
}

export function unixRows(): readonly UnixRow[] {
  return rowsOf('/proc/net/unix').map((row) => ({ path: row.slice(7).join(' '), inode: Number(row[6]) }));
}

function rowsOf(file: string): readonly string[][] {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
