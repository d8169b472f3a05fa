/** What the service manager hands back at a start: descriptors from 3 on, named in the environment (sd_listen_fds(3)). */
import { closeDescriptor, inodeOf, readMemoryFile, setCloexec } from '../../os/index.ts';
import type { KeptDescriptor } from '../guard.ts';
import { nameOfDescriptor, parseStoredName, type StoredList } from './stored-name.ts';

export interface StoredDescriptors {
  readonly descriptors: readonly KeptDescriptor[];
  readonly hasServed: boolean;
  readonly deaths: number;
  /** Everything that the store holds, by its name there, and the number of the newest list. */
  readonly names: readonly string[];
  readonly sequence: number;
}

const FIRST_FD = 3;

/**
 * Reads and removes the variables, so that the next program that this process becomes does not take them for its own.
 * Null when nothing of ours was handed over. What is not known by the list is closed.
 */
export const takeStored = (env: NodeJS.ProcessEnv, pid: number): StoredDescriptors | null => {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[name];
  if (LISTEN_PID !== String(pid)) return null;
  const given = Array.from({ length: Number(LISTEN_FDS) || 0 }, (_, index) => FIRST_FD + index);
  const names = LISTEN_FDNAMES.split(':');
  const ours = given.flatMap((fd, index) => {
    setCloexec(fd, true);
    const name = names[index] ?? '';
    const parsed = parseStoredName(name);
    return parsed === null ? [] : [{ fd, name, parsed }];
  });
  const lists = ours.flatMap(({ fd, parsed }) => (parsed.kind === 'list' ? [{ fd, sequence: parsed.sequence }] : []));
  const newest = lists.toSorted((a, b) => b.sequence - a.sequence)[0];
  const list = newest === undefined ? null : (JSON.parse(readMemoryFile(newest.fd)) as StoredList);
  for (const { fd } of lists) closeDescriptor(fd);
  const meanings = new Map(list?.descriptors.map(({ inode, name }) => [inode, name]));
  const descriptors: KeptDescriptor[] = [];
  for (const { fd, name, parsed } of ours) {
    if (parsed.kind === 'list') continue;
    const inode = inodeOf(fd);
    const meaning = name === nameOfDescriptor(inode) ? meanings.get(inode) : undefined;
    if (meaning === undefined) closeDescriptor(fd);
    else descriptors.push({ name: meaning, fd });
  }
  if (ours.length === 0) return null;
  return {
    descriptors,
    hasServed: list?.hasServed ?? true,
    deaths: list?.deaths ?? 0,
    names: ours.map(({ name }) => name),
    sequence: newest?.sequence ?? 0,
  };
};
