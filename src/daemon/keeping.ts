/**
 * Who brings this daemon back and keeps what it holds: the service manager that started it, which restarts it anyway
 * and has a store for descriptors; else a guard of its own. Never both: each would start a daemon, and one of the two
 * would find the home taken (docs/decisions/systemd-is-the-guard.md).
 */
import { fileURLToPath } from 'node:url';
import { definedOf } from './defined-of.ts';
import { openGuard, openHandedGuard, type Guard, type KeptDescriptor } from './guard.ts';
import { inheritStored, takeInheritance, type Inherited } from './inheritance.ts';
import { openDescriptorStore } from './service-manager/descriptor-store.ts';
import { findServiceManager } from './service-manager/environment.ts';
import { openServiceManagerLink, type ServiceManagerLink } from './service-manager/link.ts';
import { nameOfDescriptor } from './service-manager/stored-name.ts';
import { takeStandby } from './standby.ts';
import { takeSuccession } from './succession.ts';
import { takeStored, type StoredDescriptors } from './service-manager/take-stored.ts';
import { inodeIfOpen, inodeOf } from '../os/index.ts';
import { originOf, ownProgram } from '../program/index.ts';

export interface Keeping {
  readonly inherited: Inherited;
  /** What was inherited and is still open: all that there is to keep until it was sorted. */
  readonly unsorted: () => readonly KeptDescriptor[];
  /** Null without a service manager. */
  readonly link: ServiceManagerLink | null;
  /** Brings back the program that this process was before; null where it was none, or systemd does. */
  readonly handedGuard: Guard | null;
  /** Whoever brought a recovered daemon back, in words. */
  readonly broughtBackBy: string;
  open(holdings: Holdings): Guard;
}

/** What the daemon holds, asked whenever that may have changed. */
export interface Holdings {
  readonly list: () => readonly KeptDescriptor[];
  readonly hasServed: () => boolean;
}

/** Takes what was handed over out of the environment; the rest of that goes on to guards. */
export const findKeeping = (env: NodeJS.ProcessEnv, pid: number): Keeping => {
  const stored = takeStored(env, pid);
  const handed = takeInheritance(env);
  const sendStandbyAway = takeStandby(env);
  const succession = takeSuccession(env);
  // A daemon that replaced its own program has a list; what the manager stored was handed to the one before.
  const inherited = handed.isRecovery || stored === null ? handed : inheritStored(stored);
  const manager = findServiceManager(env, pid);
  const link = manager === null ? null : openServiceManagerLink(manager);
  const pipe = inherited.handed.get('guard');
  const handedGuard = pipe === undefined ? null : openHandedGuard(pipe);
  const common = { inherited, unsorted: watchOpen(inherited.all), link, handedGuard };
  if (link === null)
    return {
      ...common,
      broughtBackBy: 'the guard',
      open(holdings) {
        const guard = openShell(env, inherited, succession, holdings);
        // One that could not be started is tried again, and the copy of the last one waits as well.
        if (guard.pid !== null) sendStandbyAway();
        return guard;
      },
    };
  return { ...common, broughtBackBy: 'systemd', open: (holdings) => openStore(link, stored, inherited, holdings) };
};

/** Some are closed while ports are rebuilt, and their numbers taken by something else. */
const watchOpen = (all: readonly KeptDescriptor[]): (() => readonly KeptDescriptor[]) => {
  const inodes = all.map(({ fd }) => inodeOf(fd));
  return () => all.filter(({ fd }, index) => inodeIfOpen(fd) === inodes[index]);
};

const MAIN = fileURLToPath(new URL(`main${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url));

const openShell = (env: NodeJS.ProcessEnv, { deaths }: Inherited, succession: number, holdings: Holdings): Guard => {
  const program = ownProgram();
  const origin = program.isCopy ? originOf(program) : null;
  return openGuard({
    ...holdings,
    command: [process.execPath, ...process.execArgv, MAIN],
    env: {
      ...definedOf(env),
      // For `guard.sh`.
      ...(origin !== null && { DROVER_INSTALLED_NODE: origin.node, DROVER_INSTALLED_MAIN: origin.main }),
    },
    deaths,
    succession,
  });
};

const openStore = (
  { notifier }: ServiceManagerLink,
  stored: StoredDescriptors | null,
  { all, deaths }: Inherited,
  holdings: Holdings,
): Guard =>
  openDescriptorStore({
    ...holdings,
    notifier,
    deaths,
    // A program that was replaced in place had stored what it handed over.
    stored: stored?.names ?? all.map(({ fd }) => nameOfDescriptor(inodeOf(fd))),
    sequence: stored?.sequence ?? 0,
    monotonicUs: () => Number(process.hrtime.bigint() / 1000n),
  });
