/**
 * Descriptors that a daemon gets from what kept them: shards (`net/` names them) and channels
 * (`channel:` and the mark of the spawn: slot and generation come again once a slot was empty). Each is checked by its inode before it is believed. From a guard they come by a list
 * that the environment names, from a service manager by its own rules (`service-manager/take-stored.ts`).
 */
import { closeDescriptor, findNamed, readMemoryFile, setCloexec } from '../os/index.ts';
import { INHERITANCE_VARIABLE, type Inheritance, type KeptDescriptor } from './guard.ts';
import type { StoredDescriptors } from './service-manager/take-stored.ts';
import { takeNamed } from './take-named.ts';

export const CHANNEL_PREFIX = 'channel:';
/** What only concerns the daemon itself, from a program to the one that it becomes. */
const HANDED_PREFIX = 'handed:';

/** The API's socket; what brings the program before back; what ends this one if it takes too long. */
export type HandedName = 'api' | 'guard' | 'boot-watch';

export const nameHanded = (name: HandedName): string => `${HANDED_PREFIX}${name}`;

export interface Inherited {
  /** Everything, as it came: what a guard must go on keeping until it is sorted. */
  readonly all: readonly KeptDescriptor[];
  /** Shards and whatever else is not a channel, by name. */
  readonly sockets: readonly KeptDescriptor[];
  /** Channels by the mark of the spawn. */
  readonly channels: ReadonlyMap<string, number>;
  /** Daemons that died of their start, one after the other, before this one. */
  readonly deaths: number;
  readonly isRecovery: boolean;
  /** By what they are for; empty where this is not what another program became. */
  readonly handed: ReadonlyMap<string, number>;
}

export const NO_INHERITANCE: Inherited = {
  all: [],
  sockets: [],
  channels: new Map(),
  deaths: 0,
  isRecovery: false,
  handed: new Map(),
};

/** Reads and removes the variable; the environment goes on to guards and, in part, to nobody else. */
export const takeInheritance = (env: NodeJS.ProcessEnv): Inherited => {
  const list = takeNamed(env, INHERITANCE_VARIABLE);
  if (list === null) return NO_INHERITANCE;
  const { descriptors, hasServed, deaths } = JSON.parse(readMemoryFile(list)) as Inheritance;
  closeDescriptor(list);
  const all = descriptors.flatMap(({ name, descriptor }): readonly KeptDescriptor[] => {
    const fd = findNamed(descriptor);
    if (fd === null) return [];
    setCloexec(fd, true);
    return [{ name, fd }];
  });
  return sort(all, hasServed ? 0 : deaths + 1);
};

/** The same for what a service manager had. */
export const inheritStored = ({ descriptors, hasServed, deaths }: StoredDescriptors): Inherited =>
  sort(descriptors, hasServed ? 0 : deaths + 1);

const sort = (everything: readonly KeptDescriptor[], deaths: number): Inherited => {
  const isHanded = ({ name }: KeptDescriptor): boolean => name.startsWith(HANDED_PREFIX);
  const isChannel = ({ name }: KeptDescriptor): boolean => name.startsWith(CHANNEL_PREFIX);
  const all = everything.filter((each) => !isHanded(each));
  return {
    all,
    sockets: all.filter((each) => !isChannel(each)),
    channels: byName(all.filter(isChannel), CHANNEL_PREFIX),
    handed: byName(everything.filter(isHanded), HANDED_PREFIX),
    deaths,
    isRecovery: true,
  };
};

const byName = (kept: readonly KeptDescriptor[], prefix: string): ReadonlyMap<string, number> =>
  new Map(kept.map(({ name, fd }) => [name.slice(prefix.length), fd]));
