/** A client whose daemon runs. What starts daemons is only loaded when there is none. */
import { createClient, type DroverClient } from './client.ts';
import { ownHome } from './home.ts';
import { isAnswering } from './is-answering.ts';
import type { DaemonStart } from './start-daemon.ts';

/** Throws DROVER_DAEMON_START with the end of the daemon's log when it does not come up. */
export const ensureDaemon = async (options: DaemonStart = {}): Promise<DroverClient> => {
  const { home, socketPath } = ownHome();
  const client = createClient({ socketPath });
  if (await isAnswering(client)) return client;
  const { startDaemon } = await import('./start-daemon.ts');
  await startDaemon(home, client, options);
  return client;
};
