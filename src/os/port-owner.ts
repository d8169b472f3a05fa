/** Who holds an address: found through the socket tables under /proc, for the message that says a port is taken. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ListenAddress } from '../protocol/index.ts';
import { listPids, readCommandLine, readStat } from './procfs.ts';

export interface PortOwner {
  readonly pid: number;
  /** The command line, shortened. */
  readonly command: string;
}

/** Null when nobody holds it, or nobody that we may look into. */
export function findPortOwner(address: ListenAddress): PortOwner | null {
  const inodes = address.kind === 'unix' ? unixInodes(address.path) : tcpInodes(address);
  return inodes.size === 0 ? null : findHolder(inodes);
}

function findHolder(inodes: ReadonlySet<string>): PortOwner | null {
  for (const pid of listPids()) {
    if (!holdsOneOf(pid, inodes)) continue;
    const words = readCommandLine(pid);
    const command = words.length > 0 ? words.join(' ') : (readStat(pid)?.command ?? 'a process');
    return { pid, command: command.length > 80 ? `${command.slice(0, 79)}…` : command };
  }
  return null;
}

function holdsOneOf(pid: number, inodes: ReadonlySet<string>): boolean {
  let names: readonly string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return false;
  }
  return names.some((name) => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    } catch {
      return false;
    }
  });
}

const LISTEN = '0A';

function tcpInodes({ host, port }: { readonly host: string; readonly port: number }): ReadonlySet<string> {
  const inodes = new Set<string>();
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  for (const [file, isV6] of [
    ['/proc/net/tcp', false],
    ['/proc/net/tcp6', true],
  ] as const) {
    for (const row of rowsOf(file)) {
      const [, local = '', , state, , , , , , inode = ''] = row;
      const [bound = '', rowPort] = local.split(':');
      if (state === LISTEN && rowPort === hexPort && overlaps(host, bound, isV6)) inodes.add(inode);
    }
  }
  return inodes;
}

/** Whether listening on `host` meets a socket bound to the hexadecimal address of a row. */
function overlaps(host: string, bound: string, isV6: boolean): boolean {
  if (/^0+$/.test(bound) || host === '::' || (host === '0.0.0.0' && !isV6)) return true;
  if (isV6) return host.includes(':');
  const bytes = Buffer.from(bound, 'hex').reverse();
  return bytes.join('.') === host;
}

function unixInodes(path: string): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const row of rowsOf('/proc/net/unix')) if (row.slice(7).join(' ') === path) inodes.add(row[6] ?? '');
  return inodes;
}

function rowsOf(file: string): readonly string[][] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
