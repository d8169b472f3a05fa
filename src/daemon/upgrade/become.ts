/**
 * The moment in which this process becomes another program. First what takes time: the API lets go of its clients and
 * keeps its socket, the service manager is told. Then, in one go, so that nothing can happen in between: the state is
 * closed, every descriptor that matters is made to stay open, and `execve`.
 *
 * Beside it are started what brings this program back if the next one dies (the guard), and what ends the next one if it
 * does not come up in time (`boot-watch.sh`).
 */
import type { ApiServer } from '../../api/index.ts';
import { duplicate, nameOf, openMemoryFile, setCloexec } from '../../os/index.ts';
import { commandOf, DAEMON_ENVIRONMENT, isUsable, type Program } from '../../program/index.ts';
import { startBootWatch } from '../boot-watch.ts';
import { definedOf } from '../defined-of.ts';
import { INHERITANCE_VARIABLE, type Guard, type Inheritance, type KeptDescriptor } from '../guard.ts';
import { nameHanded, type HandedName } from '../inheritance.ts';
import type { ServiceManagerLink } from '../service-manager/link.ts';
import { SUCCESSION_VARIABLE } from '../succession.ts';

export interface BecomeParts {
  readonly api: ApiServer;
  readonly link: ServiceManagerLink | null;
  readonly guard: Guard;
  /** Everything that must outlive this program; more is held by the guard once `hold` was told of it. */
  readonly kept: () => readonly KeptDescriptor[];
  readonly hold: (descriptor: KeptDescriptor) => void;
  readonly closeState: () => void;
  /** Somebody asked for its end meanwhile. */
  readonly isCalledOff: () => boolean;
  readonly onStep: (step: string) => void;
}

/**
 * Returns only where it was called off before it was too late. Where the program cannot be started this process ends, and
 * the guard brings this program back.
 */
export const become = async (program: Program, parts: BecomeParts): Promise<void> => {
  const { api, link, guard, onStep } = parts;
  await link?.reloading(`becomes ${program.version}`);
  const socket = await api.handOver(duplicate);
  onStep('upgrade-api-held');
  if (parts.isCalledOff()) return;
  const handed = new Map<HandedName, number>([['api', socket]]);
  // Not for a service manager: it would keep the socket open, and clients waiting, also while no daemon runs.
  if (link === null) parts.hold({ name: nameHanded('api'), fd: socket });
  const watch = startBootWatch();
  if (watch !== null) handed.set('boot-watch', watch);
  const handedGuard = guard.handOver();
  if (handedGuard !== null) handed.set('guard', handedGuard.pipe);
  onStep('upgrade-guarded');
  const list = [
    ...parts.kept().filter(({ name }) => name !== nameHanded('api')),
    ...[...handed].map(([name, fd]) => ({ name: nameHanded(name), fd })),
  ];
  try {
    parts.closeState();
    onStep('upgrade-closed');
    // A program that is not there would end this process with a core of all its memory.
    if (isUsable(program)) execute(program, list, handedGuard?.succession ?? null);
  } finally {
    // Without its state there is no going on.
    process.kill(process.pid, 'SIGKILL');
  }
};

const execute = (program: Program, kept: readonly KeptDescriptor[], succession: number | null): void => {
  const inheritance: Inheritance = {
    descriptors: kept.map(({ name, fd }) => ({ name, descriptor: nameOf(fd) })),
    hasServed: true,
    deaths: 0,
  };
  const list = openMemoryFile(JSON.stringify(inheritance));
  const inheritedFds = [list, ...kept.map(({ fd }) => fd), ...(succession === null ? [] : [succession])];
  for (const fd of inheritedFds) setCloexec(fd, false);
  const [file, ...args] = commandOf(program);
  process.execve?.(file, [file, ...args], {
    ...definedOf(process.env),
    ...DAEMON_ENVIRONMENT,
    [INHERITANCE_VARIABLE]: nameOf(list),
    ...(succession !== null && { [SUCCESSION_VARIABLE]: nameOf(succession) }),
  });
};
