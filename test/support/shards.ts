/** What the kernel says about the listening sockets of a port. */
import { readTcpTables, TCP_LISTENS } from './tcp-table.ts';

/** Their inodes. One of IPv4 and one of IPv6 are not told apart. */
export const listShards = (port: number): string[] =>
  readTcpTables()
    .filter(({ localPort, state }) => localPort === port && state === TCP_LISTENS)
    .map(({ inode }) => inode);
