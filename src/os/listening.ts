/** On which TCP ports given processes listen: for programs that our agent does not come to. Linux only; else nothing. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ListenAddress } from '../protocol/index.ts';

export interface ListeningSocket {
  readonly pid: number;
  readonly inode: number;
  readonly address: Extract<ListenAddress, { kind: 'tcp' }>;
}

const LISTEN_STATE = '0A';

export function listeningSockets(pids: readonly number[]): readonly ListeningSocket[] {
  const rows = [...readTable('/proc/net/tcp', false), ...readTable('/proc/net/tcp6', true)];
  if (rows.length === 0) return [];
  return pids.flatMap((pid) => {
    const inodes = socketInodes(pid);
    return rows.filter(({ inode }) => inodes.has(inode)).map(({ inode, address }) => ({ pid, inode, address }));
  });
}

function readTable(file: string, isV6: boolean): readonly Omit<ListeningSocket, 'pid'>[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Not Linux, or a kernel without this family.
    return [];
  }
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== LISTEN_STATE) return [];
      const [host = '', port = ''] = local.split(':');
      const address = {
        kind: 'tcp',
        host: hostOf(host, isV6),
        port: Number.parseInt(port, 16),
        v6only: false,
      } as const;
      return [{ inode: Number(inode), address }];
    });
}

/** /proc writes addresses as 32-bit words of this machine. */
function hostOf(hex: string, isV6: boolean): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (!isV6) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser knows the canonical form.
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

function socketInodes(pid: number): ReadonlySet<number> {
  const inodes = new Set<number>();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(Number(inode));
    }
  } catch {
    // It ended, or is not ours to look into.
  }
  return inodes;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}
