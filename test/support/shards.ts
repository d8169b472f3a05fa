/** What the kernel says about the listening sockets of a port. */
import { readFileSync } from 'node:fs';

const LISTENS = '0A';

/** Their inodes. One of IPv4 and one of IPv6 are not told apart. */
export function listShards(port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(end) && fields[3] === LISTENS)
      .map((fields) => fields[9] ?? ''),
  );
}
