import { DroverError } from '../protocol/index.ts';
import type { DroverClient } from './client.ts';

/** True when a daemon answers. Throws what is not its absence, such as DROVER_NOT_ALLOWED. */
export const isAnswering = async (client: DroverClient): Promise<boolean> => {
  try {
    await client.daemonStatus();
    return true;
  } catch (error) {
    if (error instanceof DroverError && error.code === 'DROVER_DAEMON_UNREACHABLE') return false;
    throw error;
  }
};
