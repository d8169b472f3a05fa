/**
 * A daemon whose socket file is gone lives and cannot be reached: somebody has cleaned up, or removed the whole home. The
 * next command would even start a second one beside it. So the files are looked at once a second, and made again.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const LOOK_EVERY_MS = 1000;

export interface WatchedSocket {
  readonly path: string;
  /** Of its folder, should that be gone as well. */
  readonly mode: number;
  readonly listenAgain: () => Promise<void>;
}

/** Returns what ends it. `onProblem` hears of a socket that cannot be made again, once until it could. */
export const watchSockets = (sockets: readonly WatchedSocket[], onProblem: (message: string) => void): (() => void) => {
  const broken = new Set<string>();
  const look = async (socket: WatchedSocket): Promise<void> => {
    try {
      mkdirSync(dirname(socket.path), { recursive: true, mode: socket.mode });
      await socket.listenAgain();
      broken.delete(socket.path);
      onProblem(`${socket.path} was gone and is there again`);
    } catch (error) {
      if (!broken.has(socket.path)) onProblem(`${socket.path} is gone and cannot be made again: ${String(error)}`);
      broken.add(socket.path);
    }
  };
  let isLooking = false;
  const timer = setInterval(() => {
    const gone = sockets.filter(({ path }) => !existsSync(path));
    if (gone.length === 0 || isLooking) return;
    isLooking = true;
    void Promise.all(gone.map(look)).finally(() => (isLooking = false));
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
