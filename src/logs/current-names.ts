/**
 * Names that stay, for log shippers and `tail -F`: `<home>/logs/<app>/current/<slot>.out.log` (and `.err.log`) is the file
 * of the slot's newest worker, by a hard link. It moves on to a new generation only a turn after the old worker has
 * ended: who follows the name has then read the old file to its end, and reads the new one from its beginning.
 */
import { linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';

export interface CurrentNamesOptions {
  readonly home: string;
  readonly isAlive: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>) => boolean;
}

export interface CurrentNames {
  /** A worker of this app was started, or taken over: its files should have the names as soon as that is right. */
  settle(app: string): void;
  forget(app: string): void;
  close(): void;
}

const TURN_MS = 1_000;
/** An app that was stopped meanwhile settles with its next start. */
const MOST_EMPTY_TURNS = 60;

export function openCurrentNames({ home, isAlive }: CurrentNamesOptions): CurrentNames {
  /** Apps that are not settled: what was found at the last turn, and for how many turns nobody lived. */
  const pending = new Map<string, { readonly found: string; readonly emptyTurns: number }>();
  let timer: NodeJS.Timeout | null = null;

  const wait = (): void => {
    timer ??= setTimeout(turn, TURN_MS).unref();
  };
  const turn = (): void => {
    timer = null;
    for (const [app, before] of pending) {
      const files = listLogFiles(home, app).filter(hasFile);
      const next = files.filter((file) => isOnlyOne(file, files, isAlive));
      const found = next.map(({ path }) => path).join();
      const isDue = found === before.found;
      const areOld = next.filter((file) => inodeOf(currentName(home, file)) !== inodeOf(file.path));
      if (isDue) for (const file of areOld) give(currentName(home, file), file);
      const emptyTurns = files.some(isAlive) ? 0 : before.emptyTurns + 1;
      if ((areOld.length === 0 && next.length > 0) || emptyTurns > MOST_EMPTY_TURNS) pending.delete(app);
      else pending.set(app, { found, emptyTurns });
    }
    if (pending.size > 0) wait();
  };
  return {
    settle(app) {
      for (const file of listLogFiles(home, app).filter(hasFile))
        if (inodeOf(currentName(home, file)) === null) give(currentName(home, file), file);
      pending.set(app, { found: '', emptyTurns: 0 });
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

function give(name: string, file: LogFile): void {
  const fresh = `${name}.new`;
  mkdirSync(dirname(name), { recursive: true, mode: 0o700 });
  rmSync(fresh, { force: true });
  linkSync(file.path, fresh);
  renameSync(fresh, name);
}

const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null;
const hasFile = ({ path }: LogFile): boolean => inodeOf(path) !== null;
