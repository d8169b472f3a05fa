/**
 * Descriptors that a guard hands to the daemon it becomes: shards (`net/` names them) and channels
 * (`channel:app/slot#generation`). Each is checked by its inode before it is believed.
 */
import { closeDescriptor, inodeOf, readMemoryFile, setCloexec } from '../os/index.ts';
import { INHERITANCE_VARIABLE, type Inheritance, type KeptDescriptor } from './guard.ts';

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
  const all: KeptDescriptor[] = [];
  const sockets: KeptDescriptor[] = [];
  const channels = new Map<string, number>();
  for (const { name, descriptor } of descriptors) {
    const fd = findDescriptor(descriptor);
    if (fd === null) continue;
    setCloexec(fd, true);
    all.push({ name, fd });
    if (name.startsWith(CHANNEL_PREFIX)) channels.set(name.slice(CHANNEL_PREFIX.length), fd);
    else sockets.push({ name, fd });
  }
  return { all, sockets, channels, deaths: hasServed ? 0 : deaths + 1, isRecovery: true };
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
