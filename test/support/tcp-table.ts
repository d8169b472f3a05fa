/** The kernel's tables of TCP sockets, IPv4 and IPv6 together, as their fields (proc(5)). */
import { readFileSync } from 'node:fs';

export interface TcpEntry {
  readonly localPort: number;
  readonly remotePort: number;
  /** By the kernel's number, in hexadecimal. */
  readonly state: string;
  readonly inode: string;
}

export const TCP_LISTENS = '0A';

export const readTcpTables = (): readonly TcpEntry[] =>
  ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .map(([, local = '', remote = '', state = '', , , , , , inode = '']) => ({
        localPort: portOf(local),
        remotePort: portOf(remote),
        state,
        inode,
      })),
  );

const portOf = (address: string): number => Number.parseInt(address.split(':')[1] ?? '0', 16);
