/**
 * Descriptors that a daemon gets from what kept them: shards (`net/` names them) and channels
 * (`channel:app/slot#generation`). Each is checked by its inode before it is believed. From a guard they come by a list
 * that the environment names, from a service manager by its own rules (`service-manager/take-stored.ts`).
 */
import { closeDescriptor, inodeOf, readMemoryFile, setCloexec } from '../os/index.ts';
import { INHERITANCE_VARIABLE, type Inheritance, type KeptDescriptor } from './guard.ts';
import type { StoredDescriptors } from './service-manager/take-stored.ts';

export const CHANNEL_PREFIX = 'channel:';

export interface Inherited {
  /** Everything, as it came: what a guard must go on keeping until it is sorted. */
  readonly all: readonly KeptDescriptor[];
  /** Shards and whatever else is not a channel, by name. */
  readonly sockets: readonly KeptDescriptor[];
  /** Channels by `app/slot#generation`. */
  readonly channels: ReadonlyMap<string, number>;
  /** Daemons that died of their start, one after the other, before this one. */
  readonly deaths: number;
  readonly isRecovery: boolean;
}

export const NO_INHERITANCE: Inherited = { all: [], sockets: [], channels: new Map(), deaths: 0, isRecovery: false };

/** Reads and removes the variable; the environment goes on to guards and, in part, to nobody else. */
export const takeInheritance = (env: NodeJS.ProcessEnv): Inherited => {
  const text = env[INHERITANCE_VARIABLE];
  delete env[INHERITANCE_VARIABLE];
  const list = text === undefined ? null : findDescriptor(text);
  if (list === null) return NO_INHERITANCE;
  const { descriptors, hasServed, deaths } = JSON.parse(readMemoryFile(list)) as Inheritance;
  closeDescriptor(list);
  const all = descriptors.flatMap(({ name, descriptor }): readonly KeptDescriptor[] => {
    const fd = findDescriptor(descriptor);
    if (fd === null) return [];
    setCloexec(fd, true);
    return [{ name, fd }];
  });
  return sort(all, hasServed ? 0 : deaths + 1);
};

/** The same for what a service manager had. */
export const inheritStored = ({ descriptors, hasServed, deaths }: StoredDescriptors): Inherited =>
  sort(descriptors, hasServed ? 0 : deaths + 1);

const sort = (all: readonly KeptDescriptor[], deaths: number): Inherited => {
  const isChannel = ({ name }: KeptDescriptor): boolean => name.startsWith(CHANNEL_PREFIX);
  return {
    all,
    sockets: all.filter((each) => !isChannel(each)),
    channels: new Map(all.filter(isChannel).map(({ name, fd }) => [name.slice(CHANNEL_PREFIX.length), fd])),
    deaths,
    isRecovery: true,
  };
};

/** The number, where this process still has there what the name says. */
const findDescriptor = (name: string): number | null => {
  const [fd = -1, inode] = name.split(':').map(Number);
  try {
    return inodeOf(fd) === inode ? fd : null;
  } catch {
    // Not open: whoever started us did not keep it.
    return null;
  }
};
