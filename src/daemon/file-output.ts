/**
 * Where workers write: files below the home. A disk that takes no file is no reason to leave a worker dead: it starts
 * with its output going nowhere, and that is said.
 */
import { closeSync, openSync } from 'node:fs';
import { lastLines, readLastWords, type LogFile, type Logs } from '../logs/index.ts';
import type { Clock } from '../protocol/index.ts';
import type { Output, WorkerOutput } from '../supervisor/index.ts';

export interface FileOutputOptions {
  readonly home: string;
  readonly clock: Clock;
  readonly uidOf: (app: string) => number | null;
  readonly onLost: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>, reason: string) => void;
}

const NO_ROOM: ReadonlySet<unknown> = new Set(['EROFS', 'ENOSPC', 'EDQUOT', 'EIO']);

export const fileOutput = (logs: Logs, { home, clock, uidOf, onLost }: FileOutputOptions): Output => ({
  open(app, slot, generation) {
    try {
      const log = logs.openWorker({ app, slot, generation, uid: uidOf(app) });
      return { stdoutFd: log.stdout, stderrFd: log.stderr, close: () => log.close() };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!NO_ROOM.has(code)) throw error;
      onLost({ app, slot, generation }, message);
      return nowhere();
    }
  },
  async lastLines(app, slot, generation, count) {
    const lines = await lastLines({ home, app, slot, generation }, count, clock);
    return lines.map(({ line }) => line);
  },
  lastWords: (app, slot, generation) => readLastWords({ home, app, slot, generation }),
});

const nowhere = (): WorkerOutput => {
  const fd = openSync('/dev/null', 'w');
  return { stdoutFd: fd, stderrFd: fd, close: () => closeSync(fd) };
};
