/**
 * Listens on the daemon's Unix socket. A socket file that nobody answers on is what a killed daemon leaves: it is
 * removed, but only after a connection to it was refused, and only that very file.
 */
import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { DroverError } from '../protocol/index.ts';

/** Resolves when `server` listens on `path` with mode 0600. Throws DROVER_DAEMON_RUNNING when another one answers there. */
export const listenPrivately = async (server: Server, path: string): Promise<void> => {
  for (let attempt = 0; ; attempt += 1)
    try {
      await bind(server, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt > 0) throw error;
      const before = lstatSync(path, { throwIfNoEntry: false });
      if (await isAnswered(path))
        throw new DroverError('DROVER_DAEMON_RUNNING', { home: dirname(path) }, { cause: error });
      const now = lstatSync(path, { throwIfNoEntry: false });
      // Somebody else may have put a live socket there meanwhile: then the second attempt tells.
      if (before?.isSocket() && now?.ino === before.ino) unlinkSync(path);
    }
};

/** After its file was removed. What the server has open stays open. */
export const listenAgain = async (server: Server, path: string): Promise<void> => {
  // Closing removes the file, so that comes first.
  if (server.listening) server.close();
  await listenPrivately(server, path);
};

const bind = async (server: Server, path: string): Promise<void> => {
  // Node binds within the call, so the mask holds for no other file; a chmod afterwards would leave a gap.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  await once(server, 'listening');
};

const isAnswered = async (path: string): Promise<boolean> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK') return false;
    throw error;
  } finally {
    socket.destroy();
  }
};
