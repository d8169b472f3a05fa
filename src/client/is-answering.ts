import { type DaemonDocument, DroverError } from '../protocol/index.ts';
import type { DroverClient } from './client.ts';

/** What the daemon that answers says of itself. Throws what is not its absence, such as DROVER_NOT_ALLOWED. */
export const findAnswering = async (client: DroverClient): Promise<DaemonDocument | null> => {
  try {
    return await client.daemonStatus();
  } catch (error) {
    if (error instanceof DroverError && error.code === 'DROVER_DAEMON_UNREACHABLE') return null;
    throw error;
  }
};

/** True when a daemon answers. Throws as {@link findAnswering} does. */
export const isAnswering = async (client: DroverClient): Promise<boolean> => (await findAnswering(client)) !== null;
