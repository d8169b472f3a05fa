/**
 * Keeps a guard beside the daemon (`guard.sh`): a shell that holds all shards and channels and becomes the next daemon
 * when this one dies. A new guard replaces the old one whenever the set of descriptors changes; a guard that died is
 * replaced at once. Where two of them wait, one comes next (`succession.ts`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Writable } from 'node:stream';
import { closeDescriptor, duplicate, inodeIfOpen, nameOf, openMemoryFile, openPipe } from '../os/index.ts';
import type { DescriptorName } from '../protocol/index.ts';
import { endSuccession, openSuccession, SUCCESSION_VARIABLE } from './succession.ts';

/** A descriptor worth keeping, and what it is, in words that the next daemon understands. */
export interface KeptDescriptor {
  readonly name: string;
  readonly fd: number;
}

/** What a guard hands to the daemon it becomes, as JSON in a file that it holds open. */
export interface Inheritance {
  readonly descriptors: readonly { readonly name: string; readonly descriptor: DescriptorName }[];
  /** The daemon that left it had come so far that it served. */
  readonly hasServed: boolean;
  /** Daemons in a row, before that one, that had not. */
  readonly deaths: number;
}

/** Names the descriptor of that file: the list itself can be longer than a variable may be. */
export const INHERITANCE_VARIABLE = 'DROVER_INHERITANCE';
/** Names the next daemon's end of the pipe at which a copy of its guard stands by (`standby.ts`). */
export const STANDBY_VARIABLE = 'DROVER_STANDBY';

export interface GuardOptions {
  /** Everything the next daemon is started with: program and arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly list: () => readonly KeptDescriptor[];
  readonly hasServed: () => boolean;
  /** Daemons in a row before this one that died before they served. */
  readonly deaths: number;
  /** Whoever takes it comes after this daemon (`succession.ts`). */
  readonly succession: number;
}

/** By what the program that this process becomes has the guard of the one before. */
export interface HandedOver {
  readonly pipe: number;
  readonly succession: number;
}

/**
 * `stopped`: with its workers. `workers-stay`: for the next daemon, whoever starts it. `home-taken`: another daemon has
 * the home, and what this one inherited is not needed.
 */
export type Dismissal = 'stopped' | 'workers-stay' | 'home-taken';

/** The shell of this file, or a service manager (`service-manager/descriptor-store.ts`). */
export interface Guard {
  /** Null for what is no process of its own. */
  readonly pid: number | null;
  /** The descriptors changed: keep the new ones, soon. */
  refresh(): void;
  /** The daemon ends on purpose, for the reason given. */
  dismiss(reason: Dismissal): Promise<void>;
  /**
   * The daemon becomes another program at once: keeps all that there is now, and changes nothing any more. Returns the
   * descriptors by which the next program has it (`openHandedGuard`); null where it needs none.
   */
  handOver(): HandedOver | null;
}

const SCRIPT = fileURLToPath(new URL('guard.sh', import.meta.url));
/**
 * Changes come in bursts (a worker is started, it listens): one guard for all of them, but not later than `LONGEST_MS`.
 * Forking a guard takes the daemon milliseconds, which a worker that boots meanwhile would have to wait for.
 */
const SETTLE_MS = 100;
const LONGEST_MS = 300;
const LIST_FD = 4;
/** Both ends of the pipe at which a copy of the guard stands by (`standby.ts`): the shell has them by number. */
const STANDBY_FD = 6;
/** The shell takes its turn at the one before it, of this daemon; this one is of the next. */
const NEXT_SUCCESSION_FD = 8;
const FIRST_KEPT_FD = 9;
/** A guard has nothing to do that could end it; one that ended within this time never stood. */
const SHORT_LIFE_MS = 1000;
const LONGEST_DISMISSAL_MS = 2000;
const FIRST_RETRY_MS = 30;
const LONGEST_RETRY_MS = 30_000;

const retryAfterMs = (failures: number): number => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);

export const openGuard = (options: GuardOptions): Guard => {
  let current: { readonly child: ChildProcess; readonly pipe: Writable } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isDismissed = false;
  let firstChangeAt = 0;
  /** Guards in a row that ended by themselves at once: something about this machine or installation is wrong. */
  let stillborn = 0;

  const retry = (): void => {
    stillborn += 1;
    timer ??= setTimeout(replace, retryAfterMs(stillborn));
  };

  /** Null where the system has none to give. */
  const start = (inheritance: Inheritance, kept: readonly KeptDescriptor[]): ChildProcess | null => {
    const ours: number[] = [];
    try {
      const list = openMemoryFile(JSON.stringify(inheritance));
      ours.push(list);
      const { readFd, writeFd } = openPipe();
      const nextSuccession = openSuccession();
      ours.push(readFd, writeFd, nextSuccession);
      const child = spawn('/bin/sh', [SCRIPT, ...options.command], {
        detached: true,
        env: {
          ...options.env,
          [INHERITANCE_VARIABLE]: nameOf(list, LIST_FD),
          [STANDBY_VARIABLE]: nameOf(writeFd, STANDBY_FD),
          [SUCCESSION_VARIABLE]: nameOf(nextSuccession, NEXT_SUCCESSION_FD),
        },
        stdio: [
          ...(['ignore', 'inherit', 'inherit', 'pipe'] as const),
          list,
          readFd,
          writeFd,
          options.succession,
          nextSuccession,
          ...kept.map(({ fd }) => fd),
        ],
      });
      if (child.pid !== undefined) return child;
      // Told by an event as well, which nobody else listens to.
      child.on('error', () => {});
      return null;
    } catch {
      return null;
    } finally {
      for (const fd of ours) closeDescriptor(fd);
    }
  };

  const replace = (): void => {
    timer = null;
    if (isDismissed) return;
    const kept = options.list().flatMap(({ name, fd }) => {
      // A worker's channel may close between the moment it was listed and now.
      const inode = inodeIfOpen(fd);
      return inode === null ? [] : [{ name, fd, inode }];
    });
    const inheritance: Inheritance = {
      descriptors: kept.map(({ name, inode }, index) => ({ name, descriptor: `${FIRST_KEPT_FD + index}:${inode}` })),
      hasServed: options.hasServed(),
      deaths: options.deaths,
    };
    const child = start(inheritance, kept);
    if (child === null) {
      // The system had no descriptor, process or memory to give: the guard that is there goes on, with what it holds.
      retry();
      return;
    }
    const pipe = child.stdio[3] as Writable;
    // A guard that is gone cannot be written to; its exit is what we act on.
    pipe.on('error', () => {});
    const startedAt = performance.now();
    let isOver = false;
    const onEnd = (): void => {
      if (isOver || current?.child !== child || isDismissed) return;
      isOver = true;
      current = null;
      if (performance.now() - startedAt < SHORT_LIFE_MS) return retry();
      stillborn = 0;
      timer ??= setTimeout(replace, 0);
    };
    child.once('error', onEnd);
    child.once('exit', onEnd);
    child.unref();
    const previous = current;
    current = { child, pipe };
    previous?.pipe.end('q\n');
  };

  const schedule = (): void => {
    const now = performance.now();
    if (timer === null) firstChangeAt = now;
    else clearTimeout(timer);
    timer = setTimeout(replace, Math.max(0, Math.min(SETTLE_MS, firstChangeAt + LONGEST_MS - now)));
  };

  replace();
  return {
    get pid() {
      return current?.child.pid ?? null;
    },
    refresh: schedule,
    handOver() {
      if (timer !== null) clearTimeout(timer);
      replace();
      isDismissed = true;
      if (current === null) return null;
      return { pipe: duplicate(descriptorOf(current.pipe)), succession: options.succession };
    },
    async dismiss() {
      isDismissed = true;
      endSuccession(options.succession);
      if (timer !== null) clearTimeout(timer);
      const last = current;
      if (last === null || last.child.exitCode !== null) return;
      await new Promise<void>((resolve) => {
        // One that was stopped, or has no core, must not keep the daemon and its workers from ending.
        const timer = setTimeout(() => last.child.kill('SIGKILL'), LONGEST_DISMISSAL_MS);
        last.child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
        last.child.ref();
        last.pipe.end('q\n');
      });
    },
  };
};

/** Of a child's pipe; Node shows it nowhere else. */
export const descriptorOf = (pipe: Writable): number =>
  (pipe as Writable & { readonly _handle: { readonly fd: number } })._handle.fd;

/** The guard of the program that this process was before: it brings that one back until it is dismissed. */
export const openHandedGuard = (pipe: number): Guard => {
  let isOpen = true;
  return {
    pid: null,
    // It holds what there was, and is there only until this program serves.
    refresh: () => {},
    handOver: () => null,
    async dismiss() {
      if (!isOpen) return;
      isOpen = false;
      sendAway(pipe);
    },
  };
};

/** Ends a shell that waits at the other end of a pipe (`guard.sh`, `boot-watch.sh`); one that is gone needs no word. */
export const sendAway = (pipe: number): void => {
  try {
    writeSync(pipe, 'q\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
  closeDescriptor(pipe);
};
