/** Rebuilds the ports of the daemon before this one from the descriptors that it left. */
import { addressKey } from './address.ts';
import type { GroupPort } from './group-port.ts';
import type { NetKernel } from './kernel.ts';
import { parseKeptName } from './kept-name.ts';
import type { KeptName, PortFacts } from './kept-name.ts';
import type { KeptDescriptor } from './port.ts';
import type { SharedPort } from './shared-port.ts';

export interface PortMaker {
  readonly kernel: Pick<NetKernel, 'closeDescriptor' | 'inodeOf' | 'isListening'>;
  /** Whether this host, now, has reuseport groups. */
  readonly hasGroups: boolean;
  /** `order`: the kernel's order of the group, by inode, as the daemon before knew it. */
  readonly addGroup: (facts: PortFacts, order: readonly number[]) => GroupPort;
  readonly addShared: (facts: PortFacts, fd: number) => SharedPort;
}

interface Kept<Name extends KeptName = KeptName> {
  readonly name: Name;
  readonly fd: number;
}

export function restorePorts(kept: readonly KeptDescriptor[], maker: PortMaker): void {
  const ours = kept
    .map(({ name, fd }) => ({ name: parseKeptName(name), fd }))
    .filter((each): each is Kept => each.name !== null)
    .filter((each) => isStillOpen(each, maker));
  const groups = Map.groupBy(ours, ({ name }) => `${name.app} ${addressKey(name.address)}`);
  for (const members of groups.values()) restorePort(members, maker);
}

/**
 * Who keeps descriptors hears of changes a little later: the daemon may have died just after it ended a port, and to
 * listen on that again would keep clients waiting whom nobody serves.
 */
function isStillOpen({ fd }: Kept, { kernel }: PortMaker): boolean {
  if (kernel.isListening(fd)) return true;
  kernel.closeDescriptor(fd);
  return false;
}

function restorePort(members: readonly Kept[], maker: PortMaker): void {
  const port = restoreSockets(members, maker);
  if (port === null) return;
  for (const { name, fd } of members) {
    if (name.kind === 'private') port.adoptPrivate({ slot: name.slot, worker: name.worker, path: name.path, fd });
  }
}

function restoreSockets(members: readonly Kept[], maker: PortMaker): GroupPort | SharedPort | null {
  const shared = members.find(({ name }) => name.kind === 'shared');
  if (shared !== undefined) return maker.addShared(shared.name, shared.fd);
  const shards = members.filter((each): each is Kept<KeptName & { kind: 'shard' }> => each.name.kind === 'shard');
  const first = shards[0];
  if (first === undefined) return null;
  // A host that lost its groups (only between levels forced by hand): one socket is as good as another.
  if (!maker.hasGroups) return maker.addShared(first.name, first.fd);
  const port = maker.addGroup(first.name, orderOf(shards, maker));
  for (const { name, fd } of shards) port.adopt(fd, name);
  return port;
}

function orderOf(shards: readonly Kept<KeptName & { kind: 'shard' }>[], { kernel }: PortMaker): readonly number[] {
  return shards
    .filter(({ name }) => name.position !== null)
    .sort((a, b) => (a.name.position ?? 0) - (b.name.position ?? 0))
    .map(({ fd }) => kernel.inodeOf(fd));
}
