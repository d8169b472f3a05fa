/** A client whose daemon runs. What starts daemons is only loaded when there is none. */
import { type ClientOptions, createClient, type DroverClient } from './client.ts';
import { ownHome } from './home.ts';
import type { DaemonStart } from './start-daemon.ts';

/** Not imported: `node:http` has it already, and an import would wrap it once more. */
const { connect } = process.getBuiltinModule('node:net');

/** Throws DROVER_DAEMON_START with the end of the daemon's log when it does not come up. */
export const ensureDaemon = async (
  options: DaemonStart & Pick<ClientOptions, 'onNotice' | 'onVersion' | 'traceparent'> = {},
): Promise<DroverClient> => {
  const { home, socketPath, servePath } = ownHome();
  if (await isListening(socketPath)) return createClient({ ...options, socketPath });
  const client = createClient({ ...options, socketPath: servePath });
  const { startDaemon } = await import('./start-daemon.ts');
  await startDaemon(home, client, options);
  // A unit's environment may have another runtime directory: the daemon has noted which.
  const { socketPath: servedPath } = ownHome();
  return servedPath === servePath ? client : createClient({ ...options, socketPath: servedPath });
};

/** What connecting says where somebody listens whom we may not talk to, or who is too busy to take us. */
const PRESENT: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EAGAIN']);

/**
 * Whether somebody listens there; asking the daemon would take as long as the command itself. Why we may not talk to it
 * is told by the command, and what is wrong with the home by who starts a daemon in it.
 */
const isListening = async (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(PRESENT.has(code));
    });
  });
