/** Who holds an address: found through the socket tables under /proc, for the message that says a port is taken. */
import type { ListenAddress } from '../protocol/index.ts';
import { openSockets } from './listening.ts';
import { listPids, readCommandLine, readStat } from './procfs.ts';
import { LISTEN, listTcp, unixRows } from './socket-table.ts';

export interface PortOwner {
  readonly pid: number;
  /** The command line, shortened. */
  readonly command: string;
}

/** Null when nobody holds it, or nobody that we may look into. `except`: the inode of a socket that is not meant. */
export function findPortOwner(address: ListenAddress, except: number | null = null): PortOwner | null {
  const inodes = new Set([...listeningInodes(address)].filter((inode) => inode !== except));
  return inodes.size === 0 ? null : findHolder(inodes);
}

/** The sockets that listen there, whosever they are. */
export function listeningInodes(address: ListenAddress): ReadonlySet<number> {
  return address.kind === 'unix' ? unixInodes(address.path) : tcpInodes(address);
}

function findHolder(inodes: ReadonlySet<number>): PortOwner | null {
  for (const pid of listPids()) {
    if (!openSockets(pid).some(({ inode }) => inodes.has(inode))) continue;
    const words = readCommandLine(pid);
    const command = words.length > 0 ? words.join(' ') : (readStat(pid)?.command ?? 'a process');
    return { pid, command: command.length > 80 ? `${command.slice(0, 79)}…` : command };
  }
  return null;
}

function tcpInodes({ host, port }: { readonly host: string; readonly port: number }): ReadonlySet<number> {
  const rows = listTcp({ port, state: LISTEN }).filter((row) => overlaps(host, row.host, row.isV6));
  return new Set(rows.map((row) => row.inode));
}

/** Whether listening on `host` meets a socket bound to the hexadecimal address of a row. */
function overlaps(host: string, bound: string, isV6: boolean): boolean {
  if (/^0+$/.test(bound) || host === '::' || (host === '0.0.0.0' && !isV6)) return true;
  if (isV6) return host.includes(':');
  return Buffer.from(bound, 'hex').join('.') === host;
}

function unixInodes(path: string): ReadonlySet<number> {
  return new Set(
    unixRows()
      .filter((row) => row.isListening && row.path === path)
      .map((row) => row.inode),
  );
}
