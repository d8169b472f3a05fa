/**
 * Listens on the daemon's Unix socket. A socket file that nobody answers on is what a killed daemon leaves: it is
 * replaced, but only after a connection to it was refused.
 *
 * The socket is bound under a name beside its own and renamed: clients never meet one that does not listen yet, and Node,
 * which removes the file that it bound when it closes a server, leaves the one that a program after this one goes on with.
 */
import { once } from 'node:events';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { DroverError } from '../protocol/index.ts';

/** Resolves when `server` listens on `path` with mode 0600. Throws DROVER_DAEMON_RUNNING when another one answers there. */
export const listenPrivately = async (server: Server, path: string): Promise<void> => {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) throw new Error(`${path} is there, and is no socket`);
  if (there !== undefined && (await isAnswered(path)))
    throw new DroverError('DROVER_DAEMON_RUNNING', { home: dirname(path) });
  // As long as the name itself, which may be as long as one can be.
  const draft = `${path.slice(0, -1)}~`;
  rmSync(draft, { force: true });
  await bind(server, draft);
  renameSync(draft, path);
};

/** The same with a socket that listens already and is in its place. */
export const listenOn = async (server: Server, fd: number): Promise<void> => {
  server.listen({ fd });
  await once(server, 'listening');
};

/** Removes the socket of this server, if it is still the one that is there. */
export const removeSocket = (path: string): void => rmSync(path, { force: true });

/** After its file was removed. What the server has open stays open. */
export const listenAgain = async (server: Server, path: string): Promise<void> => {
  // A server listens in one place.
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
