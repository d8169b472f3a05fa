/**
 * Names that stay, for log shippers and `tail -F`: `<home>/logs/<app>/current/<slot>.out.log` (and `.err.log`) is the file
 * of the slot's newest worker, by a hard link. It moves on to a new generation only a turn after the old worker has
 * ended: who follows the name has then read the old file to its end, and reads the new one from its beginning. A name
 * that cannot be made (a full disk, something else in its place) keeps no worker from its files, nor another name from
 * being made: it is told, and tried again every turn.
 */
import { linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';

export interface CurrentNamesOptions {
  readonly home: string;
  readonly isAlive: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>) => boolean;
  /** A name that cannot be made, and why: once, until all names of its app are right. */
  readonly onProblem: (message: string) => void;
}

export interface CurrentNames {
  /** A worker of this app was started, or taken over: its files should have the names as soon as that is right. */
  settle(app: string): void;
  forget(app: string): void;
  close(): void;
}

/** An app that is not settled. */
interface Pending {
  /** The files that should have had the names at the last turn. */
  readonly found: string;
  /** For so many turns nobody lived. */
  readonly emptyTurns: number;
  /** What was told of it so far. */
  readonly told: ReadonlySet<string>;
}

const TURN_MS = 1_000;
/** An app that was stopped meanwhile settles with its next start. */
const MOST_EMPTY_TURNS = 60;

export function openCurrentNames({ home, isAlive, onProblem }: CurrentNamesOptions): CurrentNames {
  const pending = new Map<string, Pending>();
  let timer: NodeJS.Timeout | null = null;

  const wait = (): void => {
    timer ??= setTimeout(turn, TURN_MS).unref();
  };
  const turn = (): void => {
    timer = null;
    for (const [app, before] of pending) {
      const after = attempt(app, before, () => moveOn(app, before));
      if (after === null) pending.delete(app);
      else pending.set(app, after);
    }
    if (pending.size > 0) wait();
  };
  /** Whatever it fails of, the next turn comes. */
  const attempt = (app: string, before: Pending, work: () => Pending | null): Pending | null => {
    try {
      return work();
    } catch (error) {
      return { ...before, told: tell(before, [`the names in ${app}/current: ${(error as Error).message}`]) };
    }
  };
  const tell = ({ told }: Pending, problems: readonly string[]): ReadonlySet<string> => {
    for (const problem of problems) if (!told.has(problem)) onProblem(problem);
    return new Set([...told, ...problems]);
  };
  const moveOn = (app: string, before: Pending): Pending | null => {
    const files = listLogFiles(home, app).filter(hasFile);
    const next = files.filter((file) => isOnlyOne(file, files, isAlive));
    const found = next.map(({ path }) => path).join();
    const areOld = next.filter((file) => inodeOf(currentName(home, file)) !== inodeOf(file.path));
    const areDue = found === before.found ? areOld : [];
    const told = tell(before, giveAll(home, new Set([...areDue, ...nameless(home, files, isAlive)])));
    const lived = new Set(files.filter(isAlive).map((file) => currentName(home, file)));
    // In a slot where two live, the older one is not done yet.
    const isSettled = areOld.length === 0 && next.length > 0 && next.length === lived.size;
    const emptyTurns = lived.size > 0 ? 0 : before.emptyTurns + 1;
    return isSettled || emptyTurns > MOST_EMPTY_TURNS ? null : { found, emptyTurns, told };
  };
  return {
    settle(app) {
      const before: Pending = { found: '', emptyTurns: 0, told: pending.get(app)?.told ?? new Set() };
      const after = attempt(app, before, () => {
        const files = listLogFiles(home, app).filter(hasFile);
        return { ...before, told: tell(before, giveAll(home, nameless(home, files, isAlive))) };
      });
      pending.set(app, after ?? before);
      wait();
    },
    forget: (app) => void pending.delete(app),
    close() {
      if (timer !== null) clearTimeout(timer);
      pending.clear();
    },
  };
}

/** The only living worker of its slot. */
function isOnlyOne(file: LogFile, files: readonly LogFile[], isAlive: CurrentNamesOptions['isAlive']): boolean {
  const living = files.filter(({ slot, stream }) => slot === file.slot && stream === file.stream).filter(isAlive);
  return living.length === 1 && living[0] === file;
}

const currentName = (home: string, { app, slot, stream }: LogFile): string =>
  join(logDirectory(home, app), 'current', `${slot}.${stream === 'stdout' ? 'out' : 'err'}.log`);

/**
 * The files that a name should be of which is not there at all, and which nobody can have read to an end: of each the
 * oldest whose worker lives, else the newest, whose worker is about to start.
 */
function nameless(home: string, files: readonly LogFile[], isAlive: CurrentNamesOptions['isAlive']): LogFile[] {
  const chosen = new Map<string, LogFile>();
  for (const file of files) {
    const name = currentName(home, file);
    const known = chosen.get(name);
    if (known === undefined || !isAlive(known)) chosen.set(name, file);
  }
  return [...chosen].flatMap(([name, file]) => (inodeOf(name) === null ? [file] : []));
}

/** Each by itself. Returns what failed. */
function giveAll(home: string, files: Iterable<LogFile>): string[] {
  return [...files].flatMap((file) => {
    const name = currentName(home, file);
    try {
      give(name, file);
      return [];
    } catch (error) {
      return [`${name} cannot be made, and is tried again: ${(error as Error).message}`];
    }
  });
}

function give(name: string, file: LogFile): void {
  const fresh = `${name}.new`;
  mkdirSync(dirname(name), { recursive: true, mode: 0o700 });
  rmSync(fresh, { force: true });
  linkSync(file.path, fresh);
  renameSync(fresh, name);
}

const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null;
const hasFile = ({ path }: LogFile): boolean => inodeOf(path) !== null;
