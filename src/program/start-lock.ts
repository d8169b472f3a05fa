/**
 * One process at a time decides which program a home's daemon is started from, and starts it: a command, or what systemd
 * started. Two that tried a new program side by side would take each other's try for one that did not come up.
 *
 * `<home>/versions/start-<n>.lock` names who holds it; the highest number counts. It is free when nobody of them lives any
 * more (as processes of this boot, by pid and start time). Who finds it free makes the next number, by a hard link, which
 * only one can. The highest is never removed: somebody slow may still be about to make its successor. A holder stays one
 * through `execve`, and a command lets the daemon that it starts hold it too, for the case that the command is killed.
 *
 * Not the lock of the state: the daemon needs that. Not a lock of the kernel: Node has none, and a command that loads
 * machine code or SQLite for it would start later.
 */
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, isAlive, startTicks } from '../os/index.ts';
import { VERSIONS_FOLDER } from './records.ts';

export interface StartLock {
  /** The process holds it as well, for as long as it lives and does not leave. */
  share(pid: number): void;
  /** This process holds it no more. */
  leave(): void;
}

export type StartTurn =
  | { readonly kind: 'taken'; readonly lock: StartLock }
  /** Whoever holds it, or held it, has started a daemon that serves. */
  | { readonly kind: 'served' }
  /** By this process, for longer than the patience. */
  | { readonly kind: 'held'; readonly pid: number };

export interface StartPatience {
  readonly isServed: () => Promise<boolean>;
  readonly patienceMs: number;
  /** Told once, where it takes a while. */
  readonly onWait?: (pid: number) => void;
}

interface Holder {
  readonly pid: number;
  /** Null where the system does not tell. */
  readonly startTicks: number | null;
}

interface Lock {
  readonly number: number;
  /** Those that live. */
  readonly holders: readonly Holder[];
}

const POLL_MS = 20;
const TELL_AFTER_MS = 1_000;
const NAME = /^start-(\d+)\.lock$/;
/** Where the disk takes no lock, it takes no note of a try either, and nothing is tried. */
const NO_LOCK: StartLock = { share: () => {}, leave: () => {} };

/** Waits for it. Throws what `isServed` throws. */
export const takeStartLock = async (home: string, patience: StartPatience): Promise<StartTurn> => {
  const { isServed, patienceMs, onWait } = patience;
  const beganAt = performance.now();
  let hasTold = false;
  while (true) {
    const taken = tryStartLock(home);
    // Also where it is free: it may have been given up a moment ago, because its work was done.
    const hasServed = await isServed();
    if (!('heldBy' in taken)) {
      if (!hasServed) return { kind: 'taken', lock: taken };
      taken.leave();
      return { kind: 'served' };
    }
    if (hasServed) return { kind: 'served' };
    const waitedMs = performance.now() - beganAt;
    if (waitedMs > patienceMs) return { kind: 'held', pid: taken.heldBy };
    if (waitedMs > TELL_AFTER_MS && !hasTold) {
      hasTold = true;
      onWait?.(taken.heldBy);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

/** Of this process, which holds it because who started it shared it, or because it is what began. Never throws. */
export const leaveStartLock = (home: string): void => {
  try {
    const lock = read(home);
    const left = lock.holders.filter(({ pid }) => pid !== process.pid);
    if (left.length < lock.holders.length) rewrite(home, lock.number, left);
  } catch {
    // It ends with this process.
  }
};

/** Somebody decides or starts at this moment, and has not started this process. */
export const isStartedBeside = (home: string): boolean => {
  try {
    const { holders } = read(home);
    return holders.length > 0 && holders.every(({ pid }) => pid !== process.pid);
  } catch {
    return false;
  }
};

/** Takes it if it is free. */
const tryStartLock = (home: string): StartLock | { readonly heldBy: number } => {
  try {
    while (true) {
      const { number, holders } = read(home);
      if (holders[0] !== undefined) return { heldBy: holders[0].pid };
      if (take(home, number + 1)) return lockOf(home, number + 1);
    }
  } catch {
    return NO_LOCK;
  }
};

const lockOf = (home: string, number: number): StartLock => ({
  share(pid) {
    const child = identify(pid);
    if (child.startTicks === null) return;
    try {
      rewrite(home, number, [...readHolders(fileOf(home, number)), child]);
    } catch {
      // The command holds it all the same.
    }
  },
  leave: () => leaveStartLock(home),
});

const identify = (pid: number): Holder => ({ pid, startTicks: startTicks(pid) });

const folderOf = (home: string): string => join(home, VERSIONS_FOLDER);
const fileOf = (home: string, number: number): string => join(folderOf(home), `start-${number}.lock`);

const listNumbers = (home: string): readonly number[] =>
  readdirSync(folderOf(home)).flatMap((name) => {
    const number = NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });

const highest = (numbers: readonly number[]): number => Math.max(0, ...numbers);

const read = (home: string): Lock => {
  mkdirSync(folderOf(home), { recursive: true, mode: 0o700 });
  const number = highest(listNumbers(home));
  return { number, holders: readHolders(fileOf(home, number)) };
};

/** Of a file that is gone, or that a power failure tore: nobody. */
const readHolders = (file: string): readonly Holder[] => {
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as { bootId: string; holders: readonly Holder[] };
    if (known.bootId !== bootId()) return [];
    return known.holders.filter((holder) => isAlive(holder.pid, holder.startTicks));
  } catch {
    return [];
  }
};

/** Whether it is ours. Throws what the file system says. */
const take = (home: string, number: number): boolean => {
  const draft = writeDraft(home, [identify(process.pid)]);
  try {
    linkSync(draft, fileOf(home, number));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const numbers = listNumbers(home);
  if (highest(numbers) > number) {
    // This process was slow: others have held it since, and have removed what stood in its way.
    rmSync(fileOf(home, number), { force: true });
    return false;
  }
  for (const old of numbers) if (old < number) rmSync(fileOf(home, old), { force: true });
  return true;
};

/** Of two holders that do this at once one may stay named: it holds it a little longer, until it ends. */
const rewrite = (home: string, number: number, holders: readonly Holder[]): void =>
  renameSync(writeDraft(home, holders), fileOf(home, number));

const writeDraft = (home: string, holders: readonly Holder[]): string => {
  const draft = join(folderOf(home), `start.${process.pid}.new`);
  writeFileSync(draft, `${JSON.stringify({ bootId: bootId(), holders })}\n`, { mode: 0o600 });
  return draft;
};
