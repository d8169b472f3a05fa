/**
 * What a process has open, counted by kind. A kind is fine enough that two of them do not make up for each other (a
 * listening socket lost and a pipe leaked), and coarse enough that the same state of a process gives the same counts.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readUnlessGone } from '../support/processes.ts';

/** How many of each kind; a kind that there is none of is absent. */
export type Census = Readonly<Record<string, number>>;

const TCP_LISTENING = '0A';

/** Empty when the process is gone. */
export function countDescriptors(pid: number): Census {
  const sockets = readSocketKinds(pid);
  const counts: Record<string, number> = {};
  for (const fd of readUnlessGone(() => readdirSync(`/proc/${pid}/fd`), [])) {
    // One that was closed between the two looks is not there.
    const target = readUnlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`), null);
    if (target === null) continue;
    const kind = kindOf(target, sockets);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** From what a link in `/proc/<pid>/fd` names; `sockets`: kinds by inode. */
export function kindOf(target: string, sockets: ReadonlyMap<string, string>): string {
  const [, type = '', inode = ''] = /^(socket|pipe):\[(\d+)\]$/.exec(target) ?? [];
  if (type === 'socket') return sockets.get(inode) ?? 'socket, other';
  if (type === 'pipe') return 'pipe';
  const anonymous = /^anon_inode:\[?([^\]]+)\]?$/.exec(target)?.[1];
  if (anonymous !== undefined) return anonymous;
  if (target.startsWith('/dev/')) return 'device';
  if (target.startsWith('/memfd:')) return 'memory file';
  return target.endsWith(' (deleted)') ? 'file, removed' : 'file';
}

/** Of the process's network namespace: a table lists every socket there, whosever it is. */
function readSocketKinds(pid: number): Map<string, string> {
  const kinds = new Map<string, string>();
  for (const table of ['tcp', 'tcp6']) {
    for (const fields of readTable(pid, table)) {
      kinds.set(fields[9] ?? '', fields[3] === TCP_LISTENING ? 'socket, TCP listening' : 'socket, TCP connected');
    }
  }
  for (const fields of readTable(pid, 'unix')) kinds.set(fields[6] ?? '', 'socket, Unix');
  for (const fields of readTable(pid, 'netlink')) kinds.set(fields[9] ?? '', 'socket, netlink');
  return kinds;
}

function readTable(pid: number, table: string): string[][] {
  const text = readUnlessGone(() => readFileSync(`/proc/${pid}/net/${table}`, 'utf8'), '');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

export const totalOf = (census: Census): number => Object.values(census).reduce((sum, count) => sum + count, 0);

/** What `after` has more (positive) or less of each kind than `before`; empty where both are the same. */
export function differenceOf(before: Census, after: Census): Census {
  const kinds = new Set([...Object.keys(before), ...Object.keys(after)]);
  const all = [...kinds].map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries(all.filter(([, more]) => more !== 0));
}
